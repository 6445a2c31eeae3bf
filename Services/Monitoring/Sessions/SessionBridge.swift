import Kubernetes
import Logging
import NIOCore
import WebSocket

/// Carries frames between a client and a container until either ends.
struct SessionBridge: Sendable {
    let container: OpenPodSession
    let streams: PodStreams
    /// For an attached session: the container's own end, which is waited for before the session is closed.
    var end: ContainerEnd?
    let logger: Logger

    /// How long a client that attached without a terminal hears nothing unless the container speaks: the first frame makes it drop the log
    /// that it reads beside, and what was said before it attached would not be seen until the job has ended.
    static let hesitation = Duration.seconds(1)

    func run(_ client: WebSocketSession) async throws {
        let greeting = Greeting(client: client, streams: streams)
        if end == nil || streams.tty { try await greeting.say() }
        async let _: Void = greetLater(greeting)  // cancelled at the end
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await quietly("output") { try await output(client, greeting) } }
            group.addTask { await quietly("input") { try await input(client) } }
            await group.next()
            group.cancelAll()
        }
    }

    private func greetLater(_ greeting: Greeting) async {
        guard (try? await Task.sleep(for: Self.hesitation)) != nil else { return }
        await quietly("greeting") { try await greeting.say() }
    }

    private func output(_ client: WebSocketSession, _ greeting: Greeting) async throws {
        for try await output in container.session.outputs {
            switch output {
            case .stdout(let bytes), .stderr(let bytes):
                guard bytes.readableBytes > 0 else { break }
                try await greeting.say()
                if case .stdout = output { try await client.send(ClientFrames.stdout(bytes)) }
                if case .stderr = output { try await client.send(ClientFrames.stderr(bytes)) }
            case .ended(let status):
                guard end == nil else { break }
                return try await client.send(ClientFrames.status(status))
            }
        }
        // By the contract the code of an attached session is 0 whatever the process's: clients read that from the job.
        try await greeting.say()
        if let end, try await end.exitCode() != nil { try await client.send(ClientFrames.status(exitCode: 0)) }
    }

    private func input(_ client: WebSocketSession) async throws {
        for try await message in client.inbound {
            guard case .binary(let frame) = message else { return }
            switch ClientFrames.input(frame) {
            case .stdin(let bytes): if streams.stdin { try await container.session.write(bytes) }
            case .resize(let columns, let rows): if streams.tty { try await container.session.resize(columns: columns, rows: rows) }
            case .other: break
            }
        }
    }

    /// Whatever breaks a session ends it in order; the client asks again if it wants to.
    private func quietly(_ what: String, _ body: () async throws -> Void) async {
        do { try await body() } catch { logger.debug("a session's \(what) ended", metadata: ["error": "\(error)"]) }
    }
}

/// The first output frame, even an empty one, tells the client that the job runs. Kubernetes' own comes later or not at all.
private actor Greeting {
    private let client: WebSocketSession
    private let streams: PodStreams
    private var wasSaid = false

    init(client: WebSocketSession, streams: PodStreams) {
        self.client = client
        self.streams = streams
    }

    func say() async throws {
        guard !wasSaid else { return }
        wasSaid = true
        if streams.stdout {
            try await client.send(ClientFrames.stdout(ByteBuffer()))
        } else if streams.stderr {
            try await client.send(ClientFrames.stderr(ByteBuffer()))
        }
    }
}
