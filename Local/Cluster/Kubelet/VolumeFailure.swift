/// Why a pod's volume cannot be set up yet, in the kubelet's words.
struct VolumeFailure: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String

    init(_ volume: String, _ reason: String) { description = "MountVolume.SetUp failed for volume \"\(volume)\" : \(reason)" }
}
