#if canImport(Glibc)
    import Glibc
#endif

/// A part of a volume (`subPath`), held open: what it was found as is what is mounted, whatever happens to the names above it.
///
/// A program that writes to a volume can put a link into it at any moment, and one that led out of the volume, or to what its owner may not
/// see of a storage that is shared, would be followed by the machine itself. So none is followed, also not to places within the volume.
struct VolumePart: ~Copyable {
    struct Refusal: Error {
        let why: String
    }

    private let descriptor: CInt
    /// Where it was found.
    let path: String
    let isFolder: Bool

    deinit { close(descriptor) }

    /// Walks down from a volume; folders that are missing are made.
    init(of volume: String, _ components: [String]) throws(Refusal) {
        var current = try Self.opened(open(volume, Self.place | O_DIRECTORY), volume)
        for (index, name) in components.enumerated() {
            let isLast = index == components.count - 1
            var next = openat(current, name, Self.place | O_NOFOLLOW)
            if next < 0, errno == ENOENT {
                mkdirat(current, name, 0o777)
                next = openat(current, name, Self.place | O_NOFOLLOW)
            }
            close(current)
            current = try Self.opened(next, name)
            do throws(Refusal) {
                switch Self.kind(current) {
                case S_IFDIR: break
                case S_IFREG where isLast: break
                case S_IFLNK: throw Refusal(why: "\"\(name)\" is a symbolic link")
                default: throw Refusal(why: "\"\(name)\" is not a directory")
                }
            } catch {
                close(current)
                throw error
            }
        }
        descriptor = current
        path = ([volume] + components).joined(separator: "/")
        isFolder = Self.kind(current) == S_IFDIR
    }

    /// Makes it appear at another place, which is made for it.
    func mount(at target: String) throws(Refusal) {
        // Of an earlier run; what is still mounted there does not let itself be removed.
        if rmdir(target) != 0 { unlink(target) }
        if isFolder {
            mkdir(target, 0o700)
        } else {
            let file = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            if file >= 0 { close(file) }
        }
        guard Glibc.mount("/proc/self/fd/\(descriptor)", target, nil, UInt(MS_BIND), nil) == 0 else {
            throw Refusal(why: "it cannot be mounted: \(String(cString: strerror(errno)))")
        }
    }

    /// Only a place (O_PATH): nothing is read, and a pipe keeps nobody waiting.
    private static let place = CInt(0o10000000) | O_CLOEXEC

    private static func opened(_ descriptor: CInt, _ name: String) throws(Refusal) -> CInt {
        guard descriptor >= 0 else { throw Refusal(why: "\"\(name)\": \(String(cString: strerror(errno)))") }
        return descriptor
    }

    private static func kind(_ descriptor: CInt) -> mode_t {
        var raw = stat()
        return fstat(descriptor, &raw) == 0 ? raw.st_mode & S_IFMT : 0
    }
}
