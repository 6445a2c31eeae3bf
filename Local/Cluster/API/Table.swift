import Foundation
import Kubernetes

/// Objects as rows and columns, as `kubectl get` prints them.
enum Table {
    /// A column: its name, its type, whether it is shown without `-o wide`, and how its cell is made.
    struct Column: Sendable {
        let name: String
        var type = "string"
        var format = ""
        var isWide = false
        let cell: @Sendable (Object) -> JSONValue

        var definition: JSONValue {
            [
                "name": .string(name), "type": .string(type), "format": .string(format), "description": .string(name),
                "priority": .integer(isWide ? 1 : 0),
            ]
        }
    }

    static func make(_ objects: [Object], kind: ResourceKind, resourceVersion: String?, include: String?) -> Object {
        let columns = TableColumns.of(kind)
        let rows = objects.map { object -> JSONValue in
            var row: JSONValue = ["cells": .array(columns.map { $0.cell(object) })]
            switch include {
            case "None": row["object"] = .null
            case "Object": row["object"] = object
            default:
                var metadata = AnswerForm.metadata(of: object)
                metadata[path: "metadata", "managedFields"] = nil
                row["object"] = metadata
            }
            return row
        }
        var metadata = JSONValue.object([:])
        if let resourceVersion { metadata["resourceVersion"] = .string(resourceVersion) }
        return [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": .array(columns.map(\.definition)), "rows": .array(rows),
        ]
    }

    /// A bookmark of a watch in tables: no row, but the object in it that has the version.
    static func bookmark(_ object: Object) -> Object {
        [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": ["resourceVersion": .string(object.resourceVersion ?? "")],
            "columnDefinitions": [], "rows": [["cells": [], "object": AnswerForm.metadata(of: object)]],
        ]
    }

    /// The tables of a watch: one row each, the columns told once.
    struct Rows {
        let kind: ResourceKind
        let include: String?
        private var told = false

        init(kind: ResourceKind, include: String?) {
            self.kind = kind
            self.include = include
        }

        mutating func table(_ object: Object) -> Object {
            var table = Table.make([object], kind: kind, resourceVersion: object.resourceVersion, include: include)
            if told { table["columnDefinitions"] = .null }
            told = true
            return table
        }
    }

    /// A time span in a few characters: `45s`, `3m20s`, `5h`, `2d3h`, `1y20d`.
    static func age(_ seconds: Int) -> String {
        let (minutes, hours, days, years) = (seconds / 60, seconds / 3600, seconds / 86400, seconds / (86400 * 365))
        func two(_ large: Int, _ unit: String, _ small: Int, _ other: String) -> String {
            small == 0 ? "\(large)\(unit)" : "\(large)\(unit)\(small)\(other)"
        }
        switch seconds {
        case ..<0: return "0s"
        case ..<120: return "\(seconds)s"
        case ..<600: return two(minutes, "m", seconds % 60, "s")
        case ..<10_800: return "\(minutes)m"
        case ..<28_800: return two(hours, "h", minutes % 60, "m")
        case ..<172_800: return "\(hours)h"
        case ..<691_200: return two(days, "d", hours % 24, "h")
        case ..<63_072_000: return "\(days)d"
        case ..<252_288_000: return two(years, "y", days % 365, "d")
        default: return "\(years)y"
        }
    }

    /// How long ago a time was; `<unknown>` without one.
    static func since(_ time: JSONValue?) -> JSONValue {
        guard let date = time?.string.flatMap({ KubernetesTime.parse($0) }) else { return "<unknown>" }
        return .string(age(Int(Date().timeIntervalSince(date))))
    }
}
