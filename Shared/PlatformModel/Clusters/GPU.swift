/// GPUs of one vendor, or slices of one MIG profile, in a node pool or a preset.
public struct GPU: Hashable, Sendable, Codable {
    public var count: Int
    public var model: String?
    /// Bytes of each GPU.
    public var memory: Int64?

    public init(count: Int, model: String? = nil, memory: Int64? = nil) {
        self.count = count
        self.model = model
        self.memory = memory
    }
}

/// The vendors whose GPUs node pools and presets speak of.
public enum GPUVendor: String, CaseIterable, Sendable {
    case nvidia, amd, intel
}

extension KeyedDecodingContainer<AnyKey> {
    /// Reads `<vendor>_gpu`: the object, or the classic integer with `<vendor>_gpu_model` beside it. Zero of the classic form is none.
    func decodeGPU(_ vendor: GPUVendor) throws -> GPU? {
        let key = AnyKey("\(vendor.rawValue)_gpu")
        if let count = try? decodeIfPresent(Int.self, forKey: key) {
            return count == 0 ? nil : GPU(count: count, model: try decodeIfPresent(String.self, forKey: AnyKey(key.stringValue + "_model")))
        }
        return try decodeIfPresent(GPU.self, forKey: key)
    }
}
