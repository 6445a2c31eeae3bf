/// The messages that ``ProtobufReader`` knows, by the names and numbers of Kubernetes' `generated.proto`.
enum ProtobufMessages {
    /// Those that come as the body of a request.
    static let kinds: Set = [
        "Namespace", "ConfigMap", "Secret", "ServiceAccount", "Service", "SelfSubjectAccessReview", "SelfSubjectReview", "DeleteOptions",
        "Eviction",
    ]

    static let all: [String: [Int: ProtobufReader.Field]] = [
        "Time": [1: .init(name: "seconds", form: .integer)],
        "IntOrString": [
            1: .init(name: "type", form: .integer), 2: .init(name: "number", form: .integer), 3: .init(name: "text", form: .text),
        ],
        "ObjectMeta": [
            1: .init(name: "name", form: .text), 2: .init(name: "generateName", form: .text), 3: .init(name: "namespace", form: .text),
            5: .init(name: "uid", form: .text), 6: .init(name: "resourceVersion", form: .text),
            8: .init(name: "creationTimestamp", form: .time), 11: .init(name: "labels", form: .texts),
            12: .init(name: "annotations", form: .texts), 13: .init(name: "ownerReferences", form: .list(.message("OwnerReference"))),
            14: .init(name: "finalizers", form: .list(.text)),
        ],
        "OwnerReference": [
            1: .init(name: "kind", form: .text), 3: .init(name: "name", form: .text), 4: .init(name: "uid", form: .text),
            5: .init(name: "apiVersion", form: .text), 6: .init(name: "controller", form: .flag),
            7: .init(name: "blockOwnerDeletion", form: .flag),
        ],
        "Namespace": [
            1: .init(name: "metadata", form: .message("ObjectMeta")), 2: .init(name: "spec", form: .message("NamespaceSpec")),
        ],
        "NamespaceSpec": [1: .init(name: "finalizers", form: .list(.text))],
        "ConfigMap": [
            1: .init(name: "metadata", form: .message("ObjectMeta")), 2: .init(name: "data", form: .texts),
            3: .init(name: "binaryData", form: .byteTexts), 4: .init(name: "immutable", form: .flag),
        ],
        "Secret": [
            1: .init(name: "metadata", form: .message("ObjectMeta")), 2: .init(name: "data", form: .byteTexts),
            3: .init(name: "type", form: .text), 4: .init(name: "stringData", form: .texts), 5: .init(name: "immutable", form: .flag),
        ],
        "ServiceAccount": [
            1: .init(name: "metadata", form: .message("ObjectMeta")), 4: .init(name: "automountServiceAccountToken", form: .flag),
        ],
        "Service": [
            1: .init(name: "metadata", form: .message("ObjectMeta")), 2: .init(name: "spec", form: .message("ServiceSpec")),
        ],
        "ServiceSpec": [
            1: .init(name: "ports", form: .list(.message("ServicePort"))), 2: .init(name: "selector", form: .texts),
            3: .init(name: "clusterIP", form: .text), 4: .init(name: "type", form: .text),
            5: .init(name: "externalIPs", form: .list(.text)), 10: .init(name: "externalName", form: .text),
            13: .init(name: "publishNotReadyAddresses", form: .flag), 18: .init(name: "clusterIPs", form: .list(.text)),
        ],
        "ServicePort": [
            1: .init(name: "name", form: .text), 2: .init(name: "protocol", form: .text), 3: .init(name: "port", form: .integer),
            4: .init(name: "targetPort", form: .integerOrText), 6: .init(name: "appProtocol", form: .text),
        ],
        "SelfSubjectAccessReview": [
            1: .init(name: "metadata", form: .message("ObjectMeta")), 2: .init(name: "spec", form: .message("SelfSubjectAccessReviewSpec")),
        ],
        "SelfSubjectAccessReviewSpec": [
            1: .init(name: "resourceAttributes", form: .message("ResourceAttributes")),
            2: .init(name: "nonResourceAttributes", form: .message("NonResourceAttributes")),
        ],
        "ResourceAttributes": [
            1: .init(name: "namespace", form: .text), 2: .init(name: "verb", form: .text), 3: .init(name: "group", form: .text),
            4: .init(name: "version", form: .text), 5: .init(name: "resource", form: .text), 6: .init(name: "subresource", form: .text),
            7: .init(name: "name", form: .text),
        ],
        "NonResourceAttributes": [1: .init(name: "path", form: .text), 2: .init(name: "verb", form: .text)],
        "SelfSubjectReview": [1: .init(name: "metadata", form: .message("ObjectMeta"))],
        "DeleteOptions": [
            1: .init(name: "gracePeriodSeconds", form: .integer), 2: .init(name: "preconditions", form: .message("Preconditions")),
            3: .init(name: "orphanDependents", form: .flag), 4: .init(name: "propagationPolicy", form: .text),
            5: .init(name: "dryRun", form: .list(.text)),
        ],
        "Preconditions": [1: .init(name: "uid", form: .text), 2: .init(name: "resourceVersion", form: .text)],
        "Eviction": [
            1: .init(name: "metadata", form: .message("ObjectMeta")), 2: .init(name: "deleteOptions", form: .message("DeleteOptions")),
        ],
    ]
}
