import Foundation
import Kubernetes

/// `/etc/hosts` and `/etc/resolv.conf` of a pod. Pure but for `write`.
struct PodNameFiles: Sendable {
    let pod: PodTemplate
    let podIP: String
    /// Lines for the cluster's Services.
    var services = ""
    /// The machine's own settings.
    var machineResolver: String = Self.machineResolver()

    var hosts: String {
        var text = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        text += "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
        if !podIP.isEmpty {
            let domain = pod.spec["subdomain"]?.string.map { "\(pod.hostname).\($0).\(pod.namespace).svc.cluster.local\t" } ?? ""
            text += "\(podIP)\t\(domain)\(pod.hostname)\n"
        }
        let aliases = pod.spec["hostAliases"]?.array ?? []
        if !aliases.isEmpty { text += "\n# Entries added by HostAliases.\n" }
        for alias in aliases {
            let names = (alias["hostnames"]?.array ?? []).compactMap(\.string)
            text += "\(alias["ip"]?.string ?? "")\t\(names.joined(separator: "\t"))\n"
        }
        return text + services
    }

    var resolver: String {
        var (servers, searches, options): ([String], [String], [String]) = ([], [], [])
        if pod.spec["dnsPolicy"]?.string != "None" {
            for line in machineResolver.split(separator: "\n") {
                let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
                switch words.first {
                // The machine's loopback is not the pod's.
                case "nameserver": servers += words.dropFirst().filter { !$0.hasPrefix("127.") && $0 != "::1" || pod.usesHostNetwork }
                case "search": searches = Array(words.dropFirst())
                case "options": options += words.dropFirst()
                default: continue
                }
            }
        }
        let own = pod.spec["dnsConfig"]
        servers += (own?["nameservers"]?.array ?? []).compactMap(\.string)
        searches += (own?["searches"]?.array ?? []).compactMap(\.string)
        for option in own?["options"]?.array ?? [] {
            guard let name = option["name"]?.string else { continue }
            options.append(option["value"]?.string.map { "\(name):\($0)" } ?? name)
        }
        var lines: [String] = []
        if !searches.isEmpty { lines.append("search " + searches.joined(separator: " ")) }
        lines += servers.prefix(3).map { "nameserver \($0)" }
        if !options.isEmpty { lines.append("options " + options.joined(separator: " ")) }
        return lines.map { $0 + "\n" }.joined()
    }

    func write(to folder: PodFolder) throws {
        // In place: containers hold the file itself.
        for (path, text) in [(folder.resolver, resolver)] + (pod.usesHostNetwork ? [] : [(folder.hosts, hosts)]) {
            if (try? String(contentsOfFile: path, encoding: .utf8)) == text { continue }
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        }
    }

    /// A local forwarder's own file names the servers that it asks.
    private static func machineResolver() -> String {
        let text = (try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)) ?? ""
        guard text.contains("nameserver 127.0.0.53") else { return text }
        return (try? String(contentsOfFile: "/run/systemd/resolve/resolv.conf", encoding: .utf8)) ?? text
    }
}
