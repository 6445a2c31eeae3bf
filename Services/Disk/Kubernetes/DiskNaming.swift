import Kubernetes

/// What makes the name of a disk unique: an object named `<name>--<org>--<project>` that says whose name it is.
struct DiskNaming: KubernetesResource {
    struct Spec: Codable, Sendable, Hashable {
        var diskID: String
        enum CodingKeys: String, CodingKey { case diskID = "disk_id" }
    }

    var metadata: ObjectMeta
    var spec: Spec

    init(_ name: DiskName, of id: DiskReference, in place: DiskPlace) {
        metadata = ObjectMeta(name: Self.objectName(name, place))
        spec = Spec(diskID: id.text)
    }

    static func objectName(_ name: DiskName, _ place: DiskPlace) -> String { "\(name)--\(place.org)--\(place.project)" }

    /// The same for a disk that stands, whose labels are as somebody wrote them.
    static func objectName(_ name: DiskName, of disk: Disk) -> String { "\(name)--\(disk.org)--\(disk.project)" }
}

extension ResourceKind where Object == DiskNaming {
    static var diskNamings: Self { .init(group: "neuromation.io", version: "v1", kind: "DiskNaming", plural: "disknamings") }
}

extension ResourceKind where Object == KubernetesObject {
    static var definitions: Self {
        .init(
            group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition", plural: "customresourcedefinitions",
            isNamespaced: false)
    }
}

extension DiskNaming {
    /// Tells Kubernetes of the kind; the charts do so too.
    static var definition: KubernetesObject {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "spec": ["type": "object", "required": ["disk_id"], "properties": ["disk_id": ["type": "string"]]]
            ],
        ]
        return KubernetesObject(
            metadata: ObjectMeta(name: "disknamings.neuromation.io"),
            fields: [
                "spec": [
                    "group": "neuromation.io", "scope": "Namespaced",
                    "names": [
                        "kind": "DiskNaming", "listKind": "DiskNamingsList", "plural": "disknamings", "singular": "disknaming",
                    ],
                    "versions": [
                        [
                            "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
                            "additionalPrinterColumns": [["name": "Disk Id", "type": "string", "jsonPath": ".spec.disk_id"]],
                        ]
                    ],
                ]
            ])
    }
}
