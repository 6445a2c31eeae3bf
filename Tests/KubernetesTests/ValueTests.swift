import Foundation
import NIOCore
import Testing

@testable import Kubernetes

@Suite struct ValueTests {
    @Test(arguments: [
        ("2026-11-21T05:42:17Z", 1_795_239_737.0), ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59Z", -1),
        ("2024-02-29T12:00:00.250000Z", 1_709_208_000.25), ("2026-01-01T01:00:00+01:00", 1_767_225_600),
        ("2025-12-31T22:30:00-01:30", 1_767_225_600), ("2000-03-01T00:00:00Z", 951_868_800),
    ]) func times(text: String, seconds: Double) {
        #expect(KubernetesTime.parse(text)?.timeIntervalSince1970 == seconds)
        let whole = Date(timeIntervalSince1970: seconds.rounded(.down))
        #expect(KubernetesTime.parse(KubernetesTime.format(whole)) == whole)
    }

    @Test(arguments: ["", "2026-11-21", "2026-11-21 05:42:17Z", "2026-13-21T05:42:17Z", "2026-11-21T05:42:17", "2026-11-21T05:42:17.Z"])
    func notTimes(text: String) { #expect(KubernetesTime.parse(text) == nil) }

    @Test(arguments: [
        ("100m", 100 as Int64), ("0.5", 500), ("4", 4000), ("1e3", 1_000_000), ("2Ki", 2_048_000), ("1k", 1_000_000), ("100n", 1),
    ]) func quantities(text: String, milli: Int64) { #expect(Quantity(text).milliValue == milli) }

    @Test func quantitiesThatAreNone() {
        #expect(Quantity("12Q").value == nil)
        #expect(Quantity("").value == nil)
        #expect(Quantity("17179869184").wholeValue == 17_179_869_184)
        #expect(Quantity("1Ei").wholeValue == 1 << 60)
    }

    @Test func aPodIsSentWithOnlyWhatWasSet() throws {
        var container = Container(name: "job", image: "registry.local/busybox")
        container.stdin = true
        container.env = [.init(name: "A", value: "1"), .init(name: "B", secret: "s", key: "k")]
        var spec = PodSpec(containers: [container])
        spec.restartPolicy = "Never"
        let pod = Pod(metadata: .init(name: "job", labels: ["a": "b"]), spec: spec)
        let text = String(decoding: try KubernetesCoding.encoder().encode(Envelope(kind: .pods, object: pod)), as: UTF8.self)
        #expect(
            text == """
                {"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"b"},"name":"job"},"spec":{"containers":[{"env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"secretKeyRef":{"key":"k","name":"s"}}}],"image":"registry.local/busybox","name":"job","stdin":true}],"restartPolicy":"Never"}}
                """)
    }

    @Test func aGenericObjectLosesNothing() throws {
        let text = #"{"apiVersion":"x/v1","kind":"Thing","metadata":{"name":"n","odd":{"a":[1,2.5,null,true]}},"spec":{"deep":{"x":"y"}}}"#
        var object = try KubernetesCoding.decode(KubernetesObject.self, from: Data(text.utf8))
        #expect(object["spec"]?["deep"]?["x"]?.string == "y")
        #expect(String(decoding: try KubernetesCoding.encoder().encode(object), as: UTF8.self) == text)
        object["spec"]?["deep"] = "z"
        #expect(object.fields["spec"] == ["deep": "z"])
    }

    @Test func paths() {
        #expect(RequestPath.resource(.nodes, namespace: "ignored", name: "a/b") == "/api/v1/nodes/a%2Fb")
        #expect(
            RequestPath.resource(.ingresses, namespace: "n", query: RequestPath.list(labels: ["b": "2", "a": "1"], fields: nil))
                == "/apis/networking.k8s.io/v1/namespaces/n/ingresses?labelSelector=a%3D1%2Cb%3D2")
        #expect(RequestPath.resource(.pods, namespace: nil) == "/api/v1/pods")
    }

    @Test func linesAreCutWhereverThePiecesEnd() async throws {
        let pieces = ["a", "b\n\ncd", "\n", "e"].map { ByteBuffer(string: $0) }
        var reader = LineReader(
            AsyncStream {
                for piece in pieces { $0.yield(piece) }; $0.finish()
            })
        var lines: [String] = []
        while let line = try await reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        #expect(lines == ["ab", "", "cd", "e"])
        var short = LineReader(
            AsyncStream {
                $0.yield(ByteBuffer(repeating: 0x61, count: 11)); $0.finish()
            }, limit: 10)
        await #expect(throws: KubernetesError.self) { _ = try await short.next() }
    }

    @Test func verdictsOfSessions() throws {
        func output(_ text: String) -> Status? {
            guard case .ended(let status)? = PodChannel.output(ByteBuffer(string: "\u{3}" + text)) else { return nil }
            return status
        }
        #expect(output(#"{"metadata":{},"status":"Success"}"#)?.exitCode == 0)
        let failure = #"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"42"}]}}"#
        #expect(output(failure)?.exitCode == 42)
        #expect(output(#"{"status":"Failure","reason":"InternalError","message":"no such file"}"#)?.exitCode == nil)
        #expect(output("plain text")?.message == "plain text")
        #expect(output("") == nil)
        #expect(PodChannel.output(ByteBuffer(bytes: [1])) == .stdout(ByteBuffer()))
        #expect(PodChannel.output(ByteBuffer(bytes: [9, 1])) == nil)
    }
}
