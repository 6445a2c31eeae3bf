import Foundation

/// The ports of one local platform: those of its last start while they are free, else the usual ones, else the next that are free, so that two
/// platforms, or a stranger on one of the usual ports, do not meet. All are below the ports that the kernel gives to outgoing connections, one
/// of which could otherwise take the place of a part that is away for a moment.
struct Ports: Sendable {
    enum Name: Hashable, Sendable, CaseIterable {
        case postgres, redis, registry, cluster, clusterMetrics
        case service(ServicePart), metrics(ServicePart), admission(ServicePart)

        static var allCases: [Name] {
            [.postgres, .redis, .registry, .cluster, .clusterMetrics, .admission(.storage), .admission(.disk)]
                + ServicePart.allCases.flatMap { [.service($0), .metrics($0)] }
        }

        var text: String {
            switch self {
            case .postgres: "postgres"
            case .redis: "redis"
            case .registry: "registry"
            case .cluster: "cluster"
            case .clusterMetrics: "cluster-metrics"
            case .service(let service): service.rawValue
            case .metrics(let service): service.rawValue + "-metrics"
            case .admission(let service): service.rawValue + "-admission"
            }
        }

        fileprivate var usual: Int {
            switch self {
            case .postgres: 5434
            case .redis: 6380
            case .registry: 5000
            case .cluster: 6445
            case .clusterMetrics: 6446
            case .service(let service): service.usualPort
            case .metrics(let service): service.usualPort + 100
            case .admission(.storage): 6447
            case .admission: 6448
            }
        }
    }

    /// What clients see.
    let gateway: Int
    private let numbers: [Name: Int]

    /// - Parameter gateway: the public port; 0 takes any, another one must be free.
    init(_ folder: RunFolder, gateway wanted: Int) throws {
        let last = folder.read("ports.json").flatMap { try? JSONDecoder().decode([String: Int].self, from: Data($0.utf8)) } ?? [:]
        var taken: Set<Int> = []
        func take(_ preferred: Int?, else usual: Int) throws -> Int {
            let candidates = (preferred.map { [$0] } ?? []) + stride(from: usual, to: min(usual + 20_000, 32_000), by: 203)
            guard let free = candidates.first(where: { !taken.contains($0) && Probe.isFree(port: $0) }) else {
                throw StackError("no free port on 127.0.0.1 like \(usual)")
            }
            taken.insert(free)
            return free
        }
        if wanted != 0 {
            guard Probe.isFree(port: wanted) else {
                throw StackError("something else listens on 127.0.0.1:\(wanted); `make run PORT=…` chooses another port")
            }
            taken.insert(wanted)
        }
        gateway = wanted != 0 ? wanted : try take(last["gateway"], else: 8080)
        var numbers: [Name: Int] = [:]
        for name in Name.allCases { numbers[name] = try take(last[name.text], else: name.usual) }
        self.numbers = numbers
        var texts = Dictionary(uniqueKeysWithValues: numbers.map { ($0.key.text, $0.value) })
        texts["gateway"] = gateway
        try folder.write(String(decoding: JSONEncoder().encode(texts), as: UTF8.self), to: "ports.json")
    }

    subscript(_ name: Name) -> Int { numbers[name] ?? name.usual }

    /// The address of a service, on the loopback address.
    func url(_ service: ServicePart) -> String { "http://127.0.0.1:\(self[.service(service)])" }
}
