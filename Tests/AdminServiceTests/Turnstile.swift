/// Lets only so many in at a time, in the order they came. All tests of a run begin at once, and each has two services with their connections:
/// a database server has fewer.
actor Turnstile {
    static let platforms = Turnstile(slots: 5)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(slots: Int) { free = slots }

    func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        guard waiting.isEmpty else { return waiting.removeFirst().resume() }
        free += 1
    }
}
