import Hummingbird
import Kubernetes
import Synchronization

/// What the API can do, told to its clients: the classic documents, and the aggregated one of newer clients.
struct Discovery: Sendable {
    let kinds: KindRegistry

    private static let verbs: JSONValue = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

    private struct Version {
        let name: String
        var kinds: [ResourceKind] = []
        var reviews: [Reviews.Kind] = []
    }

    private struct Group {
        let name: String
        var versions: [Version] = []

        mutating func version(_ name: String) -> Int {
            if let index = versions.firstIndex(where: { $0.name == name }) { return index }
            versions.append(Version(name: name))
            return versions.count - 1
        }
    }

    /// By group and version, the core group first.
    private func all() -> [Group] {
        var groups: [Group] = []
        func index(_ name: String) -> Int {
            if let index = groups.firstIndex(where: { $0.name == name }) { return index }
            groups.append(Group(name: name))
            return groups.count - 1
        }
        for kind in kinds.all {
            let group = index(kind.group)
            let version = groups[group].version(kind.version)
            groups[group].versions[version].kinds.append(kind)
        }
        for review in Reviews.kinds {
            let group = index(review.group)
            let version = groups[group].version("v1")
            groups[group].versions[version].reviews.append(review)
        }
        return groups
    }

    // MARK: The classic documents

    /// `/api`
    func core(accept: String?) -> Response {
        if let answer = aggregated(accept, core: true) { return answer }
        return Answer.json([
            "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [],
        ])
    }

    /// `/apis`
    func groups(accept: String?) -> Response {
        if let answer = aggregated(accept, core: false) { return answer }
        let groups = all().filter { !$0.name.isEmpty }.map(Discovery.describe)
        return Answer.json(["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups)])
    }

    /// `/apis/<group>`
    /// - Throws: ``StatusError`` 404.
    func group(_ name: String) throws -> Response {
        guard let group = all().first(where: { $0.name == name && !name.isEmpty }) else { throw StatusError.unknownResource() }
        var document = Discovery.describe(group)
        document["kind"] = "APIGroup"
        document["apiVersion"] = "v1"
        return Answer.json(document)
    }

    private static func describe(_ group: Group) -> JSONValue {
        let versions = group.versions.map { version -> JSONValue in
            ["groupVersion": .string("\(group.name)/\(version.name)"), "version": .string(version.name)]
        }
        return ["name": .string(group.name), "versions": .array(versions), "preferredVersion": versions.first ?? .null]
    }

    /// `/api/v1`, `/apis/<group>/<version>`
    /// - Throws: ``StatusError`` 404.
    func resources(group: String, version: String) throws -> Response {
        guard let found = all().first(where: { $0.name == group })?.versions.first(where: { $0.name == version }) else {
            throw StatusError.unknownResource()
        }
        var resources: [JSONValue] = []
        for kind in found.kinds {
            var entry: JSONValue = [
                "name": .string(kind.plural), "singularName": .string(kind.singular), "namespaced": .bool(kind.isNamespaced),
                "kind": .string(kind.kind), "verbs": Discovery.verbs,
            ]
            if !kind.shortNames.isEmpty { entry["shortNames"] = .array(kind.shortNames.map { .string($0) }) }
            if !kind.categories.isEmpty { entry["categories"] = .array(kind.categories.map { .string($0) }) }
            resources.append(entry)
            for part in kind.subresources {
                let form = Discovery.form(part, of: kind)
                var entry: JSONValue = [
                    "name": .string("\(kind.plural)/\(part)"), "singularName": "", "namespaced": .bool(kind.isNamespaced),
                    "kind": .string(form.kind), "verbs": .array(form.verbs.map { .string($0) }),
                ]
                if form.group != kind.group {
                    entry["group"] = .string(form.group)
                    entry["version"] = "v1"
                }
                resources.append(entry)
            }
        }
        for review in found.reviews {
            resources.append([
                "name": .string(review.plural), "singularName": .string(review.kind.lowercased()), "namespaced": .bool(review.isNamespaced),
                "kind": .string(review.kind), "verbs": ["create"],
            ])
        }
        return Answer.json([
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"),
            "resources": .array(resources),
        ])
    }

    /// What a part of an object is called, and what can be done with it.
    private static func form(_ part: String, of kind: ResourceKind) -> (group: String, kind: String, verbs: [String]) {
        switch part {
        case "log": ("", "Pod", ["get"])
        case "exec": ("", "PodExecOptions", ["create", "get"])
        case "attach": ("", "PodAttachOptions", ["create", "get"])
        case "portforward": ("", "PodPortForwardOptions", ["create", "get"])
        case "binding": ("", "Binding", ["create"])
        case "eviction": ("policy", "Eviction", ["create"])
        case "finalize": (kind.group, kind.kind, ["update"])
        default: (kind.group, kind.kind, ["get", "patch", "update"])
        }
    }

    // MARK: The aggregated document

    /// The whole of it at once, when the client asks for that.
    private func aggregated(_ accept: String?, core: Bool) -> Response? {
        guard let accept, let version = ["v2", "v2beta1"].first(where: { Discovery.wants($0, accept) }) else { return nil }
        let items = all().filter { $0.name.isEmpty == core }.map { group -> JSONValue in
            let versions = group.versions.map { version -> JSONValue in
                let resources = version.kinds.map { Discovery.aggregated($0) } + version.reviews.map { Discovery.aggregated($0) }
                return ["version": .string(version.name), "resources": .array(resources), "freshness": "Current"]
            }
            var metadata = JSONValue.object([:])
            if !group.name.isEmpty { metadata["name"] = .string(group.name) }
            return ["metadata": metadata, "versions": .array(versions)]
        }
        var answer = Answer.json([
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(items),
        ])
        answer.headers[.contentType] = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
        return answer
    }

    private static func wants(_ version: String, _ accept: String) -> Bool {
        accept.split(separator: ",").contains { range in
            let parts = range.split(separator: ";").map(\.trimmed)
            return parts.first == "application/json" && parts.contains("as=APIGroupDiscoveryList") && parts.contains("v=\(version)")
                && parts.contains("g=apidiscovery.k8s.io")
        }
    }

    private static func responseKind(_ group: String, _ version: String, _ kind: String) -> JSONValue {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }

    private static func aggregated(_ kind: ResourceKind) -> JSONValue {
        var entry: JSONValue = [
            "resource": .string(kind.plural), "responseKind": responseKind(kind.group, kind.version, kind.kind),
            "scope": kind.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(kind.singular), "verbs": verbs,
        ]
        if !kind.shortNames.isEmpty { entry["shortNames"] = .array(kind.shortNames.map { .string($0) }) }
        if !kind.categories.isEmpty { entry["categories"] = .array(kind.categories.map { .string($0) }) }
        if !kind.subresources.isEmpty {
            entry["subresources"] = .array(
                kind.subresources.map { part in
                    let form = form(part, of: kind)
                    return [
                        "subresource": .string(part), "verbs": .array(form.verbs.map { .string($0) }),
                        "responseKind": responseKind(form.group, form.group == kind.group ? kind.version : "v1", form.kind),
                    ]
                })
        }
        return entry
    }

    private static func aggregated(_ review: Reviews.Kind) -> JSONValue {
        [
            "resource": .string(review.plural), "responseKind": responseKind(review.group, "v1", review.kind),
            "scope": review.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(review.kind.lowercased()),
            "verbs": ["create"],
        ]
    }
}
