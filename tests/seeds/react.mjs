// As much of React as one mounted component needs: hooks by position, rendered on demand.

let slots = [];
let next = 0;
let effects = [];

function slot(make) {
  slots[next] ??= make();
  return slots[next++];
}

export function useState(initial) {
  const state = slot(() => {
    const created = { value: initial };
    created.set = (to) => {
      created.value = typeof to === 'function' ? to(created.value) : to;
    };
    return created;
  });
  return [state.value, state.set];
}

export const useRef = (initial) => slot(() => ({ current: initial }));

export function useEffect(effect, dependencies) {
  const last = slot(() => ({}));
  const same = last.dependencies?.every((value, i) => Object.is(value, dependencies[i]));
  if (!same) effects.push(() => (last.cleanup = effect()));
  last.dependencies = dependencies;
}

// What JSX is compiled to.
export const h = (type, props, ...children) => ({ type, props: { ...props, children } });
export const Fragment = ({ children }) => children;

// One rendering, as a flat list of the HTML elements it comes to.
export function render(component) {
  next = 0;
  const elements = flatten(h(component));
  effects.splice(0).forEach((run) => run());
  return elements;
}

function flatten(node) {
  if (Array.isArray(node)) return node.flatMap(flatten);
  if (typeof node?.type === 'function') return flatten(node.type(node.props));
  if (!node?.type) return [];
  return [node, ...flatten(node.props.children)];
}
