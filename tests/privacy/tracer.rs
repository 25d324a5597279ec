//! Follows a type through all that is in it, as serde reads it: every struct that is met is noted
//! with the names of its fields. Nothing is read; each field is given something that will do.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// By struct, its fields and the structs that each leads to at once.
pub(crate) type Traced = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Deeper nothing of ours goes.
const DEEP: usize = 40;
/// A variant to follow where it is not the first one.
const VARIANTS: [(&str, &str); 1] = [("Scope", "foreign")];

/// Every struct that is met on the way through a type.
pub(crate) fn trace<'de, T: Deserialize<'de>>(traced: &RefCell<Traced>) {
    let tracer = Tracer { traced, from: None, deep: 0 };
    if let Err(error) = T::deserialize(tracer) {
        panic!("{} cannot be followed: {error}", std::any::type_name::<T>());
    }
}

#[derive(Clone, Copy)]
struct Tracer<'t> {
    traced: &'t RefCell<Traced>,
    /// The field that leads here.
    from: Option<(&'static str, &'static str)>,
    deep: usize,
}

impl Tracer<'_> {
    fn inward(self) -> Self {
        assert!(self.deep < DEEP, "it never ends: {:?}", self.from);
        Self { deep: self.deep + 1, ..self }
    }

    fn note(self, name: &str, fields: &[&'static str]) {
        let mut traced = self.traced.borrow_mut();
        if let Some((item, field)) = self.from {
            let known = traced.entry(item.to_owned()).or_default();
            known.entry(field.to_owned()).or_default().insert(name.to_owned());
        }
        let known = traced.entry(name.to_owned()).or_default();
        for field in fields {
            known.entry((*field).to_owned()).or_default();
        }
    }
}

macro_rules! given {
    ($($method:ident $visit:ident $value:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Error;

    given! {
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 1;
        deserialize_i16 visit_i16 1;
        deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1;
        deserialize_u8 visit_u8 1;
        deserialize_u16 visit_u16 1;
        deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1;
        deserialize_f32 visit_f32 1.0;
        deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char 'x';
        deserialize_str visit_str "x";
        deserialize_string visit_str "x";
        deserialize_bytes visit_bytes b"x";
        deserialize_byte_buf visit_bytes b"x";
    }

    /// A value of any kind, or an enum with its name among its members: a front end's event.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let events = [("event", "reset")].into_iter();
        visitor.visit_map(serde::de::value::MapDeserializer::new(events))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self.inward())
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self.inward())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { tracer: self.inward(), left: 1 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { tracer: self.inward(), left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { tracer: self.inward(), left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Entry { tracer: self.inward(), left: true })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note(name, fields);
        visitor.visit_map(Fields { tracer: self.inward(), name, left: fields })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let chosen = VARIANTS.iter().find(|(of, _)| *of == name).map(|(_, variant)| *variant);
        let variant = chosen.unwrap_or(variants[0]);
        visitor.visit_enum(Variant { tracer: self.inward(), name, variant })
    }

    forward_to_deserialize_any! { i128 u128 identifier ignored_any }
}

struct Fields<'t> {
    tracer: Tracer<'t>,
    name: &'static str,
    left: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(field) = self.left.first() else { return Ok(None) };
        let key: StrDeserializer<'_, Error> = (*field).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (field, left) = self.left.split_first().unwrap();
        self.left = left;
        seed.deserialize(Tracer { from: Some((self.name, field)), ..self.tracer })
    }
}

struct Entry<'t> {
    tracer: Tracer<'t>,
    left: bool,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        match std::mem::take(&mut self.left) {
            true => seed.deserialize(self.tracer).map(Some),
            false => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.tracer)
    }
}

struct Items<'t> {
    tracer: Tracer<'t>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.tracer).map(Some)
    }
}

struct Variant<'t> {
    tracer: Tracer<'t>,
    name: &'static str,
    variant: &'static str,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.tracer)
    }

    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { tracer: self.tracer, left })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.tracer.note(self.name, fields);
        visitor.visit_map(Fields { tracer: self.tracer, name: self.name, left: fields })
    }
}
