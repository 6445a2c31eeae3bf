import NIOCore

/// Lets a connection's task run on the connection's own event loop: what it reads and writes lives there, so that an answer that needs no
/// long computing costs no change of threads. Tasks that compute for long prefer another executor.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
