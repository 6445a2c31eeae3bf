import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The files that make podman ours: written at every start.
struct EngineConfiguration: Sendable {
    let layout: EngineLayout
    let programs: EnginePrograms
    /// Registry name → `host:port` that is asked instead, by plain HTTP.
    let mirrors: [String: String]

    func write() throws {
        let files = FileManager.default
        for folder in [layout.folder, layout.root, layout.networks, layout.pause, layout.runtime, layout.runRoot, layout.temporary] {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        // The first container of a pod need not run as root.
        try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: layout.pause)
        try Data(containers.utf8).write(to: URL(fileURLWithPath: layout.containersConfiguration))
        try Data(registries.utf8).write(to: URL(fileURLWithPath: layout.registriesConfiguration))
        try Data(storage.utf8).write(to: URL(fileURLWithPath: layout.storageConfiguration))
        try Data(conmonScript.utf8).write(to: URL(fileURLWithPath: layout.conmon))
        try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: layout.conmon)
        if let catatonit = programs.catatonit, !files.fileExists(atPath: layout.pause + "/pause") {
            // A link would point outside of the container.
            let program = try Data(contentsOf: URL(fileURLWithPath: catatonit).resolvingSymlinksInPath())
            try program.write(to: URL(fileURLWithPath: layout.pause + "/pause"), options: .atomic)
            try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: layout.pause + "/pause")
        }
    }

    var containers: String {
        var engine = [
            "events_logger = \"file\"", "lock_type = \"file\"", "tmp_dir = \(quoted(layout.temporary))",
            "conmon_path = [\(quoted(layout.conmon))]",
            // How long the watcher of a command in a container stays for those who ask for its exit code; podman's own five minutes would
            // leave hundreds behind where a probe runs a command.
            "exit_command_delay = 10",
        ]
        if let runtime = programs.runtime { engine.append("runtime = \(quoted(runtime))") }
        if EngineLayout.isRoot { engine.append("cgroup_manager = \"cgroupfs\"") }
        var network = ["network_config_dir = \(quoted(layout.networks))"]
        if programs.netavark != nil { network.append("network_backend = \"netavark\"") }
        return """
            [containers]
            default_ulimits = [\(limits.map(quoted).joined(separator: ", "))]
            log_driver = "k8s-file"
            base_hosts_file = "none"
            pids_limit = 0
            [engine]
            \(engine.joined(separator: "\n"))
            [network]
            \(network.joined(separator: "\n"))

            """
    }

    /// What this process may grant: podman asks for more than a limited parent has, and the runtime then refuses to start anything.
    private var limits: [String] {
        var limit = rlimit()
        func hard(_ resource: __rlimit_resource) -> UInt64 {
            getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 ? min(UInt64(limit.rlim_max), 1_048_576) : 4096
        }
        let files = hard(RLIMIT_NOFILE)
        // podman lowers its own limit to the number of processes that the kernel can tell apart.
        let kernel = KernelFile.text("/proc/sys/kernel/pid_max")
            .flatMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        let processes = min(hard(__RLIMIT_NPROC), kernel ?? .max)
        return ["nofile=\(files):\(files)", "nproc=\(processes):\(processes)"]
    }

    var registries: String {
        var text = "unqualified-search-registries = [\"docker.io\"]\n"
        for (name, address) in mirrors.sorted(by: { $0.key < $1.key }) {
            text += "[[registry]]\nprefix = \(quoted(name))\nlocation = \(quoted(address))\ninsecure = true\n"
        }
        for address in Set(mirrors.values).sorted() where mirrors[address] == nil {
            text += "[[registry]]\nlocation = \(quoted(address))\ninsecure = true\n"
        }
        return text
    }

    var storage: String {
        var text = "[storage]\n"
        // Without root podman knows best which way of overlaying the kernel allows.
        if EngineLayout.isRoot { text += "driver = \"overlay\"\n" }
        return text + "graphroot = \(quoted(layout.root))\nrunroot = \(quoted(layout.runRoot))\n"
    }

    /// conmon leaves its note of an out-of-memory kill in its working directory; podman looks for it in the container's bundle.
    var conmonScript: String {
        """
        #!/bin/sh
        previous=
        for argument in "$@"; do
            case $previous in -b | --bundle) cd "$argument" || exit 1 ;; esac
            previous=$argument
        done
        exec \(programs.conmon ?? "conmon") "$@"

        """
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    /// `registry.local=127.0.0.1:5000,…` as mirrors.
    static func mirrors(_ text: String) throws(EngineError) -> [String: String] {
        var mirrors: [String: String] = [:]
        for entry in text.split(separator: ",") {
            let parts = entry.split(separator: "=", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw EngineError("\"\(entry)\" is not of the form registry=host:port")
            }
            mirrors[parts[0]] = parts[1]
        }
        return mirrors
    }
}
