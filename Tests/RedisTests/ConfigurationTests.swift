import Redis
import Testing

@Suite struct ConfigurationTests {
    @Test func readsEveryPartOfAURL() throws {
        let full = try RedisConfiguration(url: "rediss://alice:p%40ss%3Aw@cache.example:6380/3")
        #expect(full.host == "cache.example" && full.port == 6380 && full.database == 3)
        #expect(full.user == "alice" && full.password == "p@ss:w" && full.tls != nil)
        let bare = try RedisConfiguration(url: "redis://127.0.0.1")
        #expect(bare.host == "127.0.0.1" && bare.port == 6379 && bare.database == 0)
        #expect(bare.user == nil && bare.password == nil && bare.tls == nil)
        let password = try RedisConfiguration(url: "redis://:secret@[::1]:7000/")
        #expect(password.host == "::1" && password.port == 7000 && password.user == nil && password.password == "secret")
    }

    @Test(arguments: ["http://x", "redis://", "redis://h:0", "redis://h:x", "redis://h/x", "redis://a:%zz@h", "redis://[::1"])
    func refusesWhatItCannotRead(url: String) {
        #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
    }
}
