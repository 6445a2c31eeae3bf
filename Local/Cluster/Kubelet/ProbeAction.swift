import AsyncHTTPClient
import Foundation
import Kubernetes
import NIOCore
import NIOPosix

/// What a probe or a hook does: a command, a request or a connection. It says why it failed, or nothing.
struct ProbeAction: Sendable {
    enum Kind: Sendable, Equatable {
        case command([String])
        case request(url: String, headers: [String: String])
        case connection(host: String, port: Int)
        case none
    }
    let kind: Kind

    init(_ value: JSONValue, container: ContainerTemplate, address: String) {
        func port(_ value: JSONValue?) -> Int {
            if let number = value?.integer { return Int(number) }
            let name = value?.string ?? ""
            let named = (container.value["ports"]?.array ?? []).first { $0["name"]?.string == name }
            return Int(name) ?? Int(named?["containerPort"]?.integer ?? 0)
        }
        if let command = value[path: "exec", "command"]?.array {
            kind = .command(command.compactMap(\.string))
        } else if let request = value["httpGet"] {
            let host = request["host"]?.string ?? address
            let scheme = (request["scheme"]?.string ?? "HTTP").lowercased()
            let path = request["path"]?.string ?? "/"
            var headers: [String: String] = [:]
            for header in request["httpHeaders"]?.array ?? [] { headers[header["name"]?.string ?? ""] = header["value"]?.string ?? "" }
            kind = .request(
                url: "\(scheme)://\(host):\(port(request["port"]))\(path.hasPrefix("/") ? "" : "/")\(path)", headers: headers)
        } else if let socket = value["tcpSocket"] {
            kind = .connection(host: socket["host"]?.string ?? address, port: port(socket["port"]))
        } else {
            kind = .none
        }
    }

    /// - Parameter within: seconds.
    func run(_ podman: Podman, container: String, within seconds: Double) async -> String? {
        let limit = TimeAmount.milliseconds(Int64(seconds * 1000))
        switch kind {
        case .none: return nil
        case .command(let command):
            do throws(EngineError) {
                let (code, output) = try await podman.execute(command, in: container, within: limit)
                return code == 0 ? nil : output.isEmpty ? "command \(command) exited with \(code)" : output
            } catch {
                return error.cause == "timeout" ? "command timed out" : error.message
            }
        case .request(let url, let headers):
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "User-Agent", value: "kube-probe/1.0")
            for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
            do {
                let response = try await HTTPClient.shared.execute(request, timeout: limit)
                if (200..<400).contains(response.status.code) { return nil }
                return "HTTP probe failed with statuscode: \(response.status.code)"
            } catch {
                return "Get \"\(url)\": \(error)"
            }
        case .connection(let host, let port):
            do {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(limit)
                    .connect(host: host, port: port).get()
                try? await channel.close()
                return nil
            } catch {
                return "dial tcp \(host):\(port): \(error)"
            }
        }
    }
}
