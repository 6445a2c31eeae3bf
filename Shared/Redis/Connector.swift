import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Opens one connection: socket, TLS, credentials, database, and a first PING, so that a server that still loads its data counts as away.
struct Connector: Sendable {
    let configuration: RedisConfiguration
    let eventLoop: any EventLoop

    func connect(onClose: @escaping @Sendable (RedisConnection, String) -> Void) -> EventLoopFuture<RedisConnection> {
        let limit = TimeAmount(configuration.connectTimeout)
        let connection = RedisConnection(eventLoop: eventLoop, heartbeat: TimeAmount(configuration.heartbeat), onClose: onClose)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(limit)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls = configuration.tls {
                        let context = try NIOSSLContext(configuration: tls)
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: isAddress(configuration.host) ? nil : configuration.host))
                    }
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        return bootstrap.connect(host: configuration.host, port: configuration.port).flatMap { _ in
            greet(connection, within: limit).map { connection }
        }
    }

    private func greet(_ connection: RedisConnection, within limit: TimeAmount) -> EventLoopFuture<Void> {
        var commands: [[RedisArgument]] = []
        if let password = configuration.password {
            commands.append(["AUTH"] + (configuration.user.map { [RedisArgument($0)] } ?? []) + [RedisArgument(password)])
        }
        if configuration.database != 0 { commands.append(["SELECT", RedisArgument(configuration.database)]) }
        commands.append(["PING"])
        let promise = eventLoop.makePromise(of: Void.self)
        do {
            var bytes = ByteBuffer()
            for command in commands { try CommandFormatter.append(command, to: &bytes) }
            connection.submit(
                Submission(bytes: bytes, replies: commands.count, deadline: .now() + limit) { result in
                    switch result {
                    case .failure(let error): promise.fail(error)
                    case .success(let replies):
                        for case .error(let text) in replies {
                            connection.close(reason: text)
                            return promise.fail(RedisError.server(text))
                        }
                        promise.succeed()
                    }
                })
        } catch {
            connection.close(reason: "\(error)")
            promise.fail(error)
        }
        return promise.futureResult
    }

    private func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }
}
