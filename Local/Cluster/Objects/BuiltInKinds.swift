// The kinds that the cluster knows by itself. Those without behaviour here are kept as they are written, so that a chart made for
// Kubernetes can be applied.

extension ResourceKind {
    static let pods = ResourceKind(
        plural: "pods", kind: "Pod", shortNames: ["po"], categories: ["all"],
        subresources: ["attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "resize", "status"])
    static let nodes = ResourceKind(plural: "nodes", kind: "Node", isNamespaced: false, shortNames: ["no"], subresources: ["status"])
    static let namespaces = ResourceKind(
        plural: "namespaces", kind: "Namespace", isNamespaced: false, shortNames: ["ns"], subresources: ["finalize", "status"])
    static let events = ResourceKind(plural: "events", kind: "Event", shortNames: ["ev"])
    static let newEvents = ResourceKind(group: "events.k8s.io", plural: "events", kind: "Event", shortNames: ["ev"])
    static let services = ResourceKind(
        plural: "services", kind: "Service", shortNames: ["svc"], categories: ["all"], subresources: ["status"])
    static let endpoints = ResourceKind(plural: "endpoints", kind: "Endpoints", singular: "endpoints", shortNames: ["ep"])
    static let endpointSlices = ResourceKind(group: "discovery.k8s.io", plural: "endpointslices", kind: "EndpointSlice")
    static let secrets = ResourceKind(plural: "secrets", kind: "Secret")
    static let configMaps = ResourceKind(plural: "configmaps", kind: "ConfigMap", shortNames: ["cm"])
    static let persistentVolumeClaims = ResourceKind(
        plural: "persistentvolumeclaims", kind: "PersistentVolumeClaim", shortNames: ["pvc"], subresources: ["status"])
    static let persistentVolumes = ResourceKind(
        plural: "persistentvolumes", kind: "PersistentVolume", isNamespaced: false, shortNames: ["pv"], subresources: ["status"])
    static let serviceAccounts = ResourceKind(plural: "serviceaccounts", kind: "ServiceAccount", shortNames: ["sa"])
    static let leases = ResourceKind(group: "coordination.k8s.io", plural: "leases", kind: "Lease")
    static let ingresses = ResourceKind(
        group: "networking.k8s.io", plural: "ingresses", kind: "Ingress", shortNames: ["ing"], subresources: ["status"])
    static let ingressClasses = ResourceKind(
        group: "networking.k8s.io", plural: "ingressclasses", kind: "IngressClass", isNamespaced: false)
    static let networkPolicies = ResourceKind(
        group: "networking.k8s.io", plural: "networkpolicies", kind: "NetworkPolicy", singular: "networkpolicy", shortNames: ["netpol"])
    static let storageClasses = ResourceKind(
        group: "storage.k8s.io", plural: "storageclasses", kind: "StorageClass", isNamespaced: false, shortNames: ["sc"])
    static let priorityClasses = ResourceKind(
        group: "scheduling.k8s.io", plural: "priorityclasses", kind: "PriorityClass", isNamespaced: false, shortNames: ["pc"])
    static let customResourceDefinitions = ResourceKind(
        group: "apiextensions.k8s.io", plural: "customresourcedefinitions", kind: "CustomResourceDefinition", isNamespaced: false,
        shortNames: ["crd", "crds"], categories: ["api-extensions"], subresources: ["status"])

    /// Every kind that needs no definition, in the order of discovery.
    static let builtIn: [ResourceKind] =
        [
            configMaps, endpoints, events, namespaces, nodes, persistentVolumeClaims, persistentVolumes, pods, services, secrets,
            serviceAccounts,
            ResourceKind(plural: "limitranges", kind: "LimitRange", shortNames: ["limits"]),
            ResourceKind(plural: "podtemplates", kind: "PodTemplate"),
            ResourceKind(
                plural: "replicationcontrollers", kind: "ReplicationController", shortNames: ["rc"], categories: ["all"],
                subresources: ["status"]),
            ResourceKind(plural: "resourcequotas", kind: "ResourceQuota", shortNames: ["quota"], subresources: ["status"]),
        ] + workloads + [
            newEvents, endpointSlices, leases, ingresses, ingressClasses, networkPolicies, storageClasses, priorityClasses,
            customResourceDefinitions,
            ResourceKind(
                group: "policy", plural: "poddisruptionbudgets", kind: "PodDisruptionBudget", shortNames: ["pdb"], subresources: ["status"]),
            ResourceKind(group: "node.k8s.io", plural: "runtimeclasses", kind: "RuntimeClass", isNamespaced: false),
            ResourceKind(group: "storage.k8s.io", plural: "csidrivers", kind: "CSIDriver", isNamespaced: false),
            ResourceKind(group: "storage.k8s.io", plural: "csinodes", kind: "CSINode", isNamespaced: false),
            ResourceKind(group: "storage.k8s.io", plural: "volumeattachments", kind: "VolumeAttachment", isNamespaced: false),
        ] + rights

    private static let workloads: [ResourceKind] = [
        ResourceKind(
            group: "apps", plural: "deployments", kind: "Deployment", shortNames: ["deploy"], categories: ["all"], subresources: ["status"]),
        ResourceKind(
            group: "apps", plural: "replicasets", kind: "ReplicaSet", shortNames: ["rs"], categories: ["all"], subresources: ["status"]),
        ResourceKind(
            group: "apps", plural: "statefulsets", kind: "StatefulSet", shortNames: ["sts"], categories: ["all"], subresources: ["status"]),
        ResourceKind(
            group: "apps", plural: "daemonsets", kind: "DaemonSet", shortNames: ["ds"], categories: ["all"], subresources: ["status"]),
        ResourceKind(group: "batch", plural: "jobs", kind: "Job", categories: ["all"], subresources: ["status"]),
        ResourceKind(
            group: "batch", plural: "cronjobs", kind: "CronJob", shortNames: ["cj"], categories: ["all"], subresources: ["status"]),
        ResourceKind(
            group: "autoscaling", version: "v2", plural: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler", shortNames: ["hpa"],
            categories: ["all"], subresources: ["status"]),
    ]

    private static let rights: [ResourceKind] = [
        ResourceKind(group: "rbac.authorization.k8s.io", plural: "roles", kind: "Role"),
        ResourceKind(group: "rbac.authorization.k8s.io", plural: "rolebindings", kind: "RoleBinding"),
        ResourceKind(group: "rbac.authorization.k8s.io", plural: "clusterroles", kind: "ClusterRole", isNamespaced: false),
        ResourceKind(group: "rbac.authorization.k8s.io", plural: "clusterrolebindings", kind: "ClusterRoleBinding", isNamespaced: false),
        ResourceKind(
            group: "admissionregistration.k8s.io", plural: "mutatingwebhookconfigurations", kind: "MutatingWebhookConfiguration",
            isNamespaced: false),
        ResourceKind(
            group: "admissionregistration.k8s.io", plural: "validatingwebhookconfigurations", kind: "ValidatingWebhookConfiguration",
            isNamespaced: false),
    ]
}
