-- Changes a row if it is still the one that was read; otherwise tells what it is now.
-- KEYS[1] the row; ARGV: the version read, the version after, when it is written, how long it
-- lives at least in milliseconds (0: until it is removed), then for each record: its field, `set`, `gone` or `same`, bytes.
local row = KEYS[1]
if (redis.call('HGET', row, 'version') or '') ~= ARGV[1] then
  local fields = {}
  for i = 5, #ARGV, 3 do fields[#fields + 1] = ARGV[i] end
  return redis.call('HMGET', row, 'version', 'written', unpack(fields))
end
local set = { 'version', ARGV[2], 'written', ARGV[3] }
for i = 5, #ARGV, 3 do
  if ARGV[i + 1] == 'set' then
    set[#set + 1] = ARGV[i]
    set[#set + 1] = ARGV[i + 2]
  end
end
redis.call('HSET', row, unpack(set))
for i = 5, #ARGV, 3 do
  if ARGV[i + 1] == 'gone' then redis.call('HDEL', row, ARGV[i]) end
end
if redis.call('HLEN', row) <= 2 then
  redis.call('DEL', row)
elseif ARGV[4] == '0' then
  redis.call('PERSIST', row)
elseif redis.call('PTTL', row) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', row, ARGV[4])
end
return 1
