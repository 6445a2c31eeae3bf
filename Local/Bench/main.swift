import Hummingbird

// The measure beside which our own figures stand: Hummingbird answering a small JSON body to a POST, and nothing else.
let router = Router()
router.post("/check") { request, _ in
    let body = try await request.body.collect(upTo: 1 << 20)
    return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: .init(byteBuffer: ByteBuffer(string: "{\"missing\":[],\"length\":\(body.readableBytes)}")))
}
let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8090
try await Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port))).runService()
