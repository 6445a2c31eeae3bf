import Kubernetes
import ServiceKit

/// What a client asked of attach or exec (monitoring.md 11.1).
struct SessionRequest: Sendable, Equatable {
    enum Verb: String, Sendable {
        case attach = "Attach"
        case exec = "Exec"

        /// The subprotocols that the endpoint knows.
        var subprotocols: [String] {
            switch self {
            case .attach: ["v2.channels.neu.ro", "attach.apolo.us"]
            case .exec: ["v2.channels.neu.ro"]
            }
        }
    }

    let verb: Verb
    var command = ""
    var streams: PodStreams

    /// - Throws: 400 as the contract words it.
    init(_ verb: Verb, _ query: QueryItems) throws {
        self.verb = verb
        if verb == .exec {
            guard let text = query.first("cmd"), !text.isEmpty else { throw PlatformError.badRequest("Command is required") }
            command = text
        }
        streams = PodStreams(
            stdin: try query.flag("stdin") ?? false, stdout: try query.flag("stdout") ?? true, stderr: try query.flag("stderr") ?? true,
            tty: try query.flag("tty") ?? false)
        guard streams.stdin || streams.stdout || streams.stderr else {
            throw PlatformError.badRequest("Required at least one of stdin, stdout or stderr")
        }
        guard !(streams.tty && streams.stdout && streams.stderr) else {
            throw PlatformError.badRequest("Stdout and stderr cannot be multiplexed in tty mode")
        }
    }

    /// The streams for a container: an attach follows what the container was started with.
    /// - Throws: 404 when they contradict each other.
    func streams(for container: Container, job: String) throws -> PodStreams {
        var streams = streams
        streams.container = container.name
        if verb == .attach {
            let open = container.stdin == true
            if open, container.stdinOnce != true { streams.stdin = true }
            if !open { streams.stdin = false }
            if container.tty == true {
                if streams.stdin { streams.tty = true }
            } else {
                streams.tty = false
            }
            guard !(streams.tty && streams.stdout && streams.stderr) else {
                throw PlatformError.notFound(
                    "\(verb.rawValue) container '\(job)' client error: stdout and stderr cannot be multiplexed in tty mode")
            }
            guard streams.stdin || streams.stdout || streams.stderr else {
                throw PlatformError.notFound("\(verb.rawValue) container '\(job)' client error: no stream is left to attach")
            }
        }
        // A terminal has one output.
        if streams.tty { streams.stderr = false }
        return streams
    }

    /// - Throws: 404 for quotes that are not closed, as the contract has it.
    func words(job: String) throws -> [String] {
        guard let words = CommandWords.split(command), !words.isEmpty else {
            throw PlatformError.notFound("\(verb.rawValue) container '\(job)' client error: the command cannot be parsed")
        }
        return words
    }
}
