import LocalCertificates

extension ServerCertificates {
    /// Those of the cluster's API, under all the names by which this machine's clients call it.
    static func cluster(folder: String, hosts: [String] = []) -> ServerCertificates {
        ServerCertificates(
            folder: folder, name: "orrery-cluster", hosts: ["kubernetes", "kubernetes.default", "kubernetes.default.svc"] + hosts)
    }
}
