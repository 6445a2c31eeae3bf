import Foundation
import PlatformClients
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@Suite struct ConfigClientTests {
    @Test func changesAreSeenOnceAndOutagesAreWaitedOut() async throws {
        func list(_ timezone: String, _ etag: String) -> Stub.Answer {
            .init(status: 200, body: #"[{"name": "default", "timezone": "\#(timezone)"}]"#, headers: ["ETag": etag])
        }
        try await Stub.with(
            list("UTC", "a"), .init(status: 304), .init(status: 500), .init(status: 200, body: "garbage"), list("UTC", "b"),
            list("Europe/Kyiv", "c")
        ) { (stub, script) async throws in
            var changes = ConfigClient(http: stub.http, baseURL: stub.url).clusterChanges(every: .milliseconds(5)).makeAsyncIterator()
            #expect(try await changes.next()?.map(\.timezone) == ["UTC"])
            #expect(try await changes.next()?.map(\.timezone) == ["Europe/Kyiv"])
            #expect(script.asked.map { $0.headers[.ifNoneMatch] } == [nil, "a", "a", "a", "a", "b"])
        }
    }

    @Test func aBootstrapDocumentOmitsWhatIsNotThere() throws {
        var document = BootstrapDocument()
        document.authURL = "https://x/authorize"
        let text = String(decoding: try PlatformJSON.encoder().encode(document), as: UTF8.self)
        #expect(text == #"{"auth_url":"https://x/authorize","authorized":false}"#)
    }

    @Test func poolsAndPresetsTakeTheClientsForm() throws {
        let pool = BootstrapPool(ResourcePoolType(name: "p", cpu: 4, price: Money("1.5"), currency: "USD"))
        let object = try #require(try JSONSerialization.jsonObject(with: PlatformJSON.encoder().encode(pool)) as? [String: Any])
        #expect(object["price"] == nil && object["is_preemptible"] == nil && object["idle_size"] == nil)
        #expect(object["available_cpu"] as? Double == 4)
        let preset = BootstrapPreset(ResourcePreset(name: "s", creditsPerHour: .zero, cpu: 1, memory: 5 << 20, preemptibleNode: true))
        let shown = try #require(try JSONSerialization.jsonObject(with: PlatformJSON.encoder().encode(preset)) as? [String: Any])
        #expect(shown["memory_mb"] as? Int == 5 && shown["is_preemptible_node_required"] as? Bool == true)
        #expect(shown["credits_per_hour"] as? String == "0" && shown["scheduler_enabled"] as? Bool == false)
    }
}
