import Foundation

/// Traefik in front of everything: one origin for the client.
struct Gateway: Sendable {
    /// A path of the public origin and the service behind it.
    struct Route: Sendable {
        let path: String
        let service: ServicePart
        /// Taken off before the service sees the path.
        var prefix: String?
    }

    /// Asks ingress-auth about each request of a visitor.
    static let authMiddleware = "ingress-auth"
    /// Shows the waiting page in place of a 5xx.
    static let errorPageMiddleware = "error-page"

    let folder: RunFolder
    let executable: String
    let ports: Ports
    let kubeconfig: String

    func part() throws -> Part {
        let configuration = try folder.make("gateway")
        try folder.write(routing(Self.routes), to: "gateway/routes.json")
        try folder.write(staticConfiguration(routes: "\(configuration)/routes.json"), to: "gateway/traefik.json")
        let port = ports.gateway
        return Part(
            name: "gateway", executable: executable, arguments: ["--configfile=\(configuration)/traefik.json"],
            // Traefik's Kubernetes provider reads the kubeconfig itself, whatever way of signing in it holds.
            environment: ["KUBECONFIG": kubeconfig],
            isReady: { await Probe.answers("http://127.0.0.1:\(port)/api/v1/ping/jobs-api") })
    }

    /// ARCHITECTURE §8: on the control plane the longest prefix wins; a cluster's services are below `/clusters/<name>`.
    static var routes: [Route] {
        let aliases = ServicePart.allCases.map { Route(path: "/api/v1/ping/\($0.rawValue)", service: $0) }
        return aliases + [
            Route(path: "/api/v1/config", service: .config),
            Route(path: "/api/v1/clusters", service: .config),
            Route(path: "/api/v1/cloud_providers", service: .config),
            Route(path: "/api/v1/users", service: .auth),
            Route(path: "/api/v1/service_accounts", service: .auth),
            Route(path: "/.well-known", service: .auth),
            Route(path: "/api/v1/audit", service: .auth),
            Route(path: "/auth", service: .auth),
            Route(path: "/oauth", service: .ingressAuth),
            Route(path: "/apis/admin/v1", service: .admin),
            Route(path: "/apis/events", service: .admin),
            Route(path: "/api/v1", service: .jobs),
            Route(path: "/clusters/default/api/v1/jobs", service: .monitoring, prefix: "/clusters/default"),
            Route(path: "/clusters/default/api/v1/secrets", service: .secrets, prefix: "/clusters/default"),
            Route(path: "/clusters/default/api/v1/storage", service: .storage, prefix: "/clusters/default"),
            Route(path: "/clusters/default/api/v1/disk", service: .disk, prefix: "/clusters/default"),
            Route(path: "/clusters/default/api/docs/v1/disk", service: .disk, prefix: "/clusters/default"),
        ]
    }

    private func staticConfiguration(routes: String) -> String {
        Self.json([
            "global": ["checkNewVersion": false, "sendAnonymousUsage": false],
            "log": ["level": "INFO"],
            "entryPoints": [
                "web": [
                    "address": "127.0.0.1:\(ports.gateway)",
                    // Uploads and followed logs last as long as they last; the services bound them.
                    "transport": ["respondingTimeouts": ["readTimeout": 0, "writeTimeout": 0, "idleTimeout": 180]],
                ]
            ],
            "providers": [
                "file": ["filename": routes, "watch": false],
                "kubernetesIngress": ["throttleDuration": "0s", "allowEmptyServices": true],
            ],
        ])
    }

    /// Traefik's dynamic configuration. A job's host belongs to the cluster's ingresses alone, so the platform's routes exclude such hosts.
    private func routing(_ routes: [Route]) -> String {
        var routers: [String: Any] = ["fallback": Self.fallback]
        var middlewares = visitorMiddlewares
        for (number, route) in routes.enumerated() {
            let name = "r\(number)"
            var router: [String: Any] = [
                "rule": "(Path(`\(route.path)`) || PathPrefix(`\(route.path)/`)) && !HostRegexp(`.+\\.jobs\\..+`)",
                "entryPoints": ["web"], "service": route.service.rawValue, "priority": 1000 + route.path.count,
            ]
            if let prefix = route.prefix {
                middlewares[name] = ["stripPrefix": ["prefixes": [prefix]]]
                router["middlewares"] = [name]
            }
            routers[name] = router
        }
        var services: [String: Any] = [:]
        for service in ServicePart.allCases {
            services[service.rawValue] = [
                "loadBalancer": [
                    "servers": [["url": ports.url(service)]], "passHostHeader": true,
                    "responseForwarding": ["flushInterval": "-1ms"],
                ]
            ]
        }
        return Self.json(["http": ["routers": routers, "services": services, "middlewares": middlewares]])
    }

    /// What the ingresses of jobs name (jobs-api's settings).
    private var visitorMiddlewares: [String: Any] {
        [
            Self.authMiddleware: [
                "forwardAuth": [
                    "address": ports.url(.ingressAuth) + "/oauth/authorize",
                    // What a visitor says about where he goes does not count.
                    "trustForwardHeader": false,
                    // His platform token does not reach the job.
                    "authResponseHeaders": ["Cookie", "Authorization"],
                ]
            ],
            Self.errorPageMiddleware: ["errors": ["status": ["500-599"], "service": ServicePart.ingressAuth.rawValue, "query": "/"]],
            "strip-headers": ["headers": ["customRequestHeaders": ["Authorization": "", "Cookie": ""]]],
            "to-root": ["replacePath": ["path": "/"]],
        ]
    }

    /// Hosts that no job answers for.
    private static var fallback: [String: Any] {
        [
            "rule": "HostRegexp(`.+\\.jobs\\..+`)", "entryPoints": ["web"], "service": ServicePart.ingressAuth.rawValue, "priority": 1,
            "middlewares": ["strip-headers", "to-root"],
        ]
    }

    private static func json(_ value: [String: Any]) -> String {
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
