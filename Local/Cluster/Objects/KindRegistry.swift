import Kubernetes
import Synchronization

/// The kinds that the API serves: the built-in ones and those of CustomResourceDefinitions.
final class KindRegistry: Sendable {
    private struct Place: Hashable {
        let group: String
        let version: String
        let plural: String
    }

    private struct Kinds {
        var byPlace: [Place: ResourceKind] = [:]
        /// In the order of discovery.
        var order: [ResourceKind] = []
        /// What each definition brought, by its name.
        var defined: [String: [ResourceKind]] = [:]
        /// Grows with each change, for those who keep something made from all kinds.
        var generation = 0
    }

    private let kinds = Mutex(Kinds())

    init() {
        kinds.withLock { kinds in
            for kind in ResourceKind.builtIn { KindRegistry.add(kind, to: &kinds) }
        }
    }

    /// Every kind.
    var all: [ResourceKind] { kinds.withLock(\.order) }

    /// Grows whenever a kind comes or goes.
    var generation: Int { kinds.withLock(\.generation) }

    /// The kind at a path of the API.
    func find(group: String, version: String, plural: String) -> ResourceKind? {
        kinds.withLock { $0.byPlace[Place(group: group, version: version, plural: plural)] }
    }

    /// The kind of an object or of an owner reference.
    func find(apiVersion: String, kind: String) -> ResourceKind? {
        kinds.withLock { kinds in kinds.order.first { $0.kind == kind && $0.apiVersion == apiVersion } }
    }

    /// Some kind that is stored under a name, for objects read from the state file.
    func find(storage: String) -> ResourceKind? {
        kinds.withLock { kinds in kinds.order.first { $0.storage == storage } }
    }

    /// Serves what a CustomResourceDefinition says, in place of what it said before. A definition cannot replace a built-in kind.
    func define(_ definition: Object) {
        let found = KindRegistry.kinds(of: definition)
        kinds.withLock { kinds in
            KindRegistry.remove(definition.name, from: &kinds)
            for kind in found {
                let place = Place(group: kind.group, version: kind.version, plural: kind.plural)
                guard kinds.byPlace[place] == nil else { continue }
                KindRegistry.add(kind, to: &kinds)
                kinds.defined[definition.name, default: []].append(kind)
            }
        }
    }

    /// Serves a definition's kinds no more.
    func undefine(_ name: String) { kinds.withLock { KindRegistry.remove(name, from: &$0) } }

    /// Whether a definition brought the kind: its objects have no strategic merge, and their fields are not known here.
    func isCustom(_ kind: ResourceKind) -> Bool {
        kinds.withLock { $0.defined["\(kind.plural).\(kind.group)"] != nil }
    }

    private static func add(_ kind: ResourceKind, to kinds: inout Kinds) {
        kinds.byPlace[Place(group: kind.group, version: kind.version, plural: kind.plural)] = kind
        kinds.order.append(kind)
        kinds.generation += 1
    }

    private static func remove(_ name: String, from kinds: inout Kinds) {
        guard let gone = kinds.defined.removeValue(forKey: name) else { return }
        for kind in gone { kinds.byPlace[Place(group: kind.group, version: kind.version, plural: kind.plural)] = nil }
        kinds.order.removeAll { gone.contains($0) }
        kinds.generation += 1
    }

    /// The kinds of a definition, one for each version that it serves.
    static func kinds(of definition: Object) -> [ResourceKind] {
        let spec = definition["spec"] ?? .null
        let names = spec["names"] ?? .null
        guard let group = spec["group"]?.string, let plural = names["plural"]?.string, let kind = names["kind"]?.string else { return [] }
        func texts(_ value: JSONValue?) -> [String] { (value?.array ?? []).compactMap(\.string) }
        return (spec["versions"]?.array ?? []).compactMap { version in
            guard let name = version["name"]?.string, version["served"]?.bool != false else { return nil }
            let subresources = version["subresources"]?["status"] != nil ? ["status"] : []
            return ResourceKind(
                group: group, version: name, plural: plural, kind: kind, isNamespaced: spec["scope"]?.string != "Cluster",
                singular: names["singular"]?.string, shortNames: texts(names["shortNames"]), categories: texts(names["categories"]),
                subresources: subresources)
        }
    }
}
