import Kubernetes

/// What a container of a pod must look like.
enum ContainerRules {
    static func faults(of container: JSONValue, field: String, volumes: Set<String>) -> [FieldFault] {
        var faults: [FieldFault] = []
        let name = container["name"]?.string ?? ""
        if name.isEmpty {
            faults.append(.required("\(field).name"))
        } else if !NameRules.isLabel(name) {
            faults.append(.invalid("\(field).name", .string(name), NameRules.labelText))
        }
        let image = container["image"]?.string ?? ""
        if image.isEmpty {
            faults.append(.required("\(field).image"))
        } else if image != image.trimmed {
            faults.append(.invalid("\(field).image", .string(image), "must not have leading or trailing whitespace"))
        }
        faults += PodRules.choice(container["imagePullPolicy"], "\(field).imagePullPolicy", ["Always", "IfNotPresent", "Never"])
        faults += PodRules.choice(
            container["terminationMessagePolicy"], "\(field).terminationMessagePolicy", ["File", "FallbackToLogsOnError"])
        faults += environment(container, field)
        faults += mounts(container, field, volumes)
        faults += ports(container, field)
        faults += resources(container, "\(field).resources")
        return faults
    }

    private static func environment(_ container: JSONValue, _ field: String) -> [FieldFault] {
        var faults: [FieldFault] = []
        for (index, variable) in (container["env"]?.array ?? []).enumerated() {
            let field = "\(field).env[\(index)]"
            let name = variable["name"]?.string ?? ""
            if name.isEmpty {
                faults.append(.required("\(field).name"))
            } else if name.contains("=") || name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value > 0x7E }) {
                faults.append(
                    .invalid(
                        "\(field).name", .string(name),
                        "a valid environment variable name must consist only of printable ASCII characters other than '='"))
            }
            if let value = variable["value"], value != .null, value.string == nil {
                faults.append(.invalid("\(field).value", value, "must be a string"))
            }
            guard let source = variable["valueFrom"]?.object else { continue }
            if variable["value"]?.string?.isEmpty == false {
                faults.append(.invalid("\(field).valueFrom", "", "may not be specified when `value` is not empty"))
            }
            for kind in ["secretKeyRef", "configMapKeyRef"] where source[kind]?.object != nil {
                for member in ["name", "key"] where source[kind]?[member]?.string?.isEmpty ?? true {
                    faults.append(.required("\(field).valueFrom.\(kind).\(member)"))
                }
            }
        }
        return faults
    }

    private static func mounts(_ container: JSONValue, _ field: String, _ volumes: Set<String>) -> [FieldFault] {
        var faults: [FieldFault] = []
        var paths: Set<String> = []
        for (index, mount) in (container["volumeMounts"]?.array ?? []).enumerated() {
            let field = "\(field).volumeMounts[\(index)]"
            let name = mount["name"]?.string ?? ""
            if name.isEmpty {
                faults.append(.required("\(field).name"))
            } else if !volumes.contains(name) {
                faults.append(.notFound("\(field).name", name))
            }
            let path = mount["mountPath"]?.string ?? ""
            if path.isEmpty {
                faults.append(.required("\(field).mountPath"))
            } else if !paths.insert(path).inserted {
                faults.append(.invalid("\(field).mountPath", .string(path), "must be unique"))
            }
            let part = mount["subPath"]?.string ?? ""
            if part.hasPrefix("/") {
                faults.append(.invalid("\(field).subPath", .string(part), "must be a relative path"))
            } else if part.split(separator: "/").contains("..") {
                faults.append(.invalid("\(field).subPath", .string(part), "must not contain '..'"))
            }
        }
        return faults
    }

    private static func ports(_ container: JSONValue, _ field: String) -> [FieldFault] {
        (container["ports"]?.array ?? []).enumerated().flatMap { index, port -> [FieldFault] in
            let field = "\(field).ports[\(index)]"
            var faults = PodRules.choice(port["protocol"], "\(field).protocol", ["SCTP", "TCP", "UDP"])
            guard let number = port["containerPort"]?.integer, number != 0 else { return faults + [.required("\(field).containerPort")] }
            if !(1...65535).contains(number) {
                faults.append(.invalid("\(field).containerPort", .integer(number), "must be between 1 and 65535, inclusive"))
            }
            return faults
        }
    }

    private static func resources(_ container: JSONValue, _ field: String) -> [FieldFault] {
        var faults: [FieldFault] = []
        let limits = container["resources"]?["limits"]?.object ?? [:]
        let requests = container["resources"]?["requests"]?.object ?? [:]
        for (list, amounts) in [("limits", limits), ("requests", requests)] {
            for (name, amount) in amounts.sorted(by: { $0.key < $1.key }) {
                let field = "\(field).\(list)[\(name)]"
                let isStandard = ["cpu", "memory", "ephemeral-storage"].contains(name) || name.hasPrefix("hugepages-")
                if !isStandard, !name.contains("/") {
                    faults.append(.invalid(field, .string(name), "must be a standard resource for containers"))
                }
                guard let value = Quantities.value(amount) else { continue }
                if value < 0 { faults.append(.invalid(field, amount, "must be greater than or equal to 0")) }
                if !isStandard, name.contains("/"), value != value.rounded() {
                    faults.append(.invalid(field, amount, "must be an integer"))
                }
            }
        }
        for (name, request) in requests.sorted(by: { $0.key < $1.key }) {
            guard let limit = limits[name], let most = Quantities.value(limit), let wanted = Quantities.value(request) else { continue }
            if wanted > most {
                faults.append(
                    .invalid("\(field).requests", request, "must be less than or equal to \(name) limit of \(limit.string ?? "")"))
            }
        }
        return faults
    }
}
