import Foundation
import NIOCore

/// Which of the subnets 198.18.N.0/24 (RFC 2544: a range that nobody's network uses) is free on this machine.
enum PodSubnets {
    /// - Parameter fingerprint: hexadecimal; where the search begins, so that clusters of one machine seldom meet.
    static func free(preferring fingerprint: String) -> Int {
        let taken = ((try? System.enumerateDevices()) ?? []).compactMap { $0.address?.ipAddress }
        return choose(start: Int(fingerprint.suffix(4), radix: 16) ?? 0, taken: taken)
    }

    static func choose(start: Int, taken addresses: [String]) -> Int {
        let taken = Set(
            addresses.compactMap { address -> Int? in
                let parts = address.split(separator: ".")
                return parts.count == 4 && parts[0] == "198" && parts[1] == "18" ? Int(parts[2]) : nil
            })
        return (0..<254).map { (start + $0) % 254 + 1 }.first { !taken.contains($0) } ?? 1
    }
}
