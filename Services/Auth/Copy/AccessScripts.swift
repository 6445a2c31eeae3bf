import Redis

/// The scripts that read and write the copy. Keys: `<prefix>generation` holds the generation's name, `<prefix>changes` counts what was
/// published; below `<prefix><short>:` each principal is a hash with `v` version, `t` valid-from (absent: no such principal), `r` roles by
/// line, canonical URI → action digit, and `x` (see `store`).
///
/// The count is what an older copy of the same server's life betrays itself by (`DEBUG RELOAD NOSAVE`): whoever asks or writes says how many
/// changes it knows to have been published, and a copy that counts fewer has no generation from then on.
enum AccessScripts {
    /// How long an unused record lives; also what clears away the records of former generations.
    static let recordLifetime = 86_400

    /// Answers questions. A walk goes through the principal, `public`, and all roles of those on the way, each once, at most 1,000. A
    /// principal's own grant on its own `role://` URI is for itself and not for its members.
    ///
    /// KEYS: generation, changes. ARGV: generation, record prefix, changes known, then for each question: name, scheme to list or "", number
    /// of URIs, URIs. Answers {0} for another generation, {1, unknown names…}, or {2, changes, for each question: valid-from or nil, digits,
    /// {uri, digit, …}}.
    static let ask = RedisScript(
        """
        local now = redis.call('MGET', KEYS[1], KEYS[2])
        if now[1] ~= ARGV[1] then return {0} end
        local changes = tonumber(now[2] or '0')
        if changes < tonumber(ARGV[3]) then
          redis.call('DEL', KEYS[1])
          return {0}
        end
        local prefix, at, answer, unknown = ARGV[2], 4, {2, changes}, {1}
        -- v, t, r and the actions on the URIs: as a rule in one call, since calls are what a check costs.
        local function read(key, from, count)
          local found = redis.call('HMGET', key, 'v', 't', 'r', unpack(ARGV, from, from + math.min(count, 2000) - 1))
          for start = 2000, count - 1, 2000 do
            local part = redis.call('HMGET', key, unpack(ARGV, from + start, from + math.min(start + 2000, count) - 1))
            for i = 1, #part do found[3 + start + i] = part[i] end
          end
          return found
        end
        while at <= #ARGV do
          local name, scheme, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
          local from = at + 3
          at = from + count
          local best, listed, order, validFrom = {}, {}, {}, false
          for i = 1, count do best[i] = '0' end
          local queue, seen, head = {name, 'public'}, {[name] = true, public = true}, 1
          while head <= #queue and head <= 1000 do
            local role = queue[head]
            head = head + 1
            local key = prefix .. role
            local state = read(key, from, count)
            if not state[1] then
              unknown[#unknown + 1] = role
            elseif state[2] then
              local own, self = role ~= name and 'role://' .. role, role ~= name and 'user://' .. role
              if role == name then validFrom = state[2] end
              for i = 1, count do
                local action = state[3 + i]
                local uri = ARGV[from + i - 1]
                if action and action > best[i] and uri ~= own and uri ~= self then best[i] = action end
              end
              if scheme ~= '' then
                local all = redis.call('HGETALL', key)
                for i = 1, #all, 2 do
                  local uri, action = all[i], all[i + 1]
                  if uri ~= own and uri ~= self and string.sub(uri, 1, #scheme) == scheme then
                    if not listed[uri] then order[#order + 1] = uri end
                    if not listed[uri] or action > listed[uri] then listed[uri] = action end
                  end
                end
              end
              for next in string.gmatch(state[3], '[^\\n]+') do
                if not seen[next] then
                  seen[next] = true
                  queue[#queue + 1] = next
                end
              end
            end
            if role == name and not validFrom then break end
          end
          local list = {}
          for i = 1, #order do
            list[#list + 1] = order[i]
            list[#list + 1] = listed[order[i]]
          end
          answer[#answer + 1] = validFrom
          answer[#answer + 1] = validFrom and table.concat(best) or string.rep('0', count)
          answer[#answer + 1] = list
        end
        if #unknown > 1 then return unknown end
        return answer
        """)

    /// Makes sure that a generation belongs to this incarnation of the server, starting an empty one if not. KEYS: generation, changes.
    /// ARGV: incarnation, new name, generation and changes known, and generations that were left before: one of those comes back with an older
    /// copy only. Answers {generation, changes}.
    static let adopt = RedisScript(
        """
        local now = redis.call('GET', KEYS[1])
        local good = now and string.sub(now, string.find(now, ':', 1, true) + 1) == ARGV[1]
        local changes = tonumber(redis.call('GET', KEYS[2]) or '0')
        if now == ARGV[3] and changes < tonumber(ARGV[4]) then good = false end
        for i = 5, #ARGV do
          if now == ARGV[i] then good = false end
        end
        if not good then
          now = ARGV[2] .. ':' .. ARGV[1]
          redis.call('SET', KEYS[1], now)
        end
        return {now, changes}
        """)

    /// Brings a change that was committed. KEYS: generation, changes. ARGV: key prefix, generation and changes known, name, version, "keep"
    /// or "drop", valid-from or "", roles, then URI and digit in turn. It deletes the lease, so that nobody fills in what was read before it,
    /// and replaces only an older record; a record that is not there stays away, since who comes late could not be told. "drop": the record is
    /// too large to be written at once. Answers {0, changes} if the record is not there now, {1, changes} if it is, {2} without a generation.
    static let publish = RedisScript(
        """
        local generation = redis.call('GET', KEYS[1])
        if not generation then return {2} end
        if generation == ARGV[2] and tonumber(redis.call('GET', KEYS[2]) or '0') < tonumber(ARGV[3]) then
          redis.call('DEL', KEYS[1])
          return {2}
        end
        local changes = redis.call('INCR', KEYS[2])
        local short = string.sub(generation, 1, string.find(generation, ':', 1, true) - 1)
        local key = ARGV[1] .. short .. ':' .. ARGV[4]
        redis.call('DEL', ARGV[1] .. short .. ':lease:' .. ARGV[4])
        local version = redis.call('HGET', key, 'v')
        if not version then return {0, changes, generation} end
        if tonumber(version) >= tonumber(ARGV[5]) then return {1, changes, generation} end
        redis.call('UNLINK', key)
        if ARGV[6] == 'drop' then return {0, changes, generation} end
        \(write("7", "8", "9"))
        return {1, changes, generation}
        """)

    /// Fills in a record that was read under a lease. KEYS: generation. ARGV: key prefix, name, lease, version, valid-from or "", roles, a key
    /// under which the grants lie prepared or "", their number, then, if none is prepared, URI and digit in turn. Answers whether the record
    /// was stored.
    static let fill = RedisScript(
        """
        local generation = redis.call('GET', KEYS[1])
        if not generation then return 0 end
        local short = string.sub(generation, 1, string.find(generation, ':', 1, true) - 1)
        local key, lease = ARGV[1] .. short .. ':' .. ARGV[2], ARGV[1] .. short .. ':lease:' .. ARGV[2]
        if redis.call('GET', lease) ~= ARGV[3] then return 0 end
        redis.call('DEL', lease)
        local version = redis.call('HGET', key, 'v')
        if version and tonumber(version) >= tonumber(ARGV[4]) then return 0 end
        if ARGV[7] ~= '' then
          -- A server that was restarted or flushed meanwhile may have a part.
          if redis.call('HLEN', ARGV[7]) ~= tonumber(ARGV[8]) then return 0 end
          redis.call('UNLINK', key)
          redis.call('RENAME', ARGV[7], key)
        else
          redis.call('UNLINK', key)
        end
        \(write("5", "6", "9", version: "4"))
        return 1
        """)

    /// Lua that writes the record `key` from arguments.
    private static func write(_ validFrom: String, _ roles: String, _ grants: String, version: String = "5") -> String {
        """
        redis.call('HSET', key, 'v', ARGV[\(version)])
        -- Redis searches a hash of a few hundred short values from end to end, for each URI of each check; one long value makes it a table.
        if #ARGV >= \(grants) + 2 * 32 then redis.call('HSET', key, 'x', string.rep('x', 129)) end
        if ARGV[\(validFrom)] ~= '' then redis.call('HSET', key, 't', ARGV[\(validFrom)], 'r', ARGV[\(roles)]) end
        for start = \(grants), #ARGV, 2000 do
          redis.call('HSET', key, unpack(ARGV, start, math.min(start + 1999, #ARGV)))
        end
        redis.call('EXPIRE', key, \(recordLifetime))
        """
    }
}
