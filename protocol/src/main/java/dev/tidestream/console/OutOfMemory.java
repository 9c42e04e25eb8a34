package dev.tidestream.console;

/** What to change when memory was not enough. The JVM has several kinds of it, and says in the message which one ran out. */
final class OutOfMemory {
    private static final long MIB = 1 << 20;

    private OutOfMemory() {}

    static String message(OutOfMemoryError error) {
        String kind = String.valueOf(error.getMessage());
        if (kind.contains("heap space") || kind.contains("GC overhead") || kind.contains("array size")) {
            return "out of memory: %s; the heap has %d MiB: more with TIDESTREAM_JAVA_OPTS=-Xmx4g"
                    .formatted(kind, Runtime.getRuntime().maxMemory() / MIB);
        }
        if (kind.contains("direct buffer")) {
            return "out of memory: %s: more with TIDESTREAM_JAVA_OPTS=-XX:MaxDirectMemorySize=1g".formatted(kind);
        }
        if (kind.contains("Metaspace") || kind.contains("class space")) {
            return "out of memory: %s: more with TIDESTREAM_JAVA_OPTS=-XX:MaxMetaspaceSize=512m".formatted(kind);
        }
        if (kind.contains("thread")) {
            return "out of memory: %s: fewer --threads, or a higher limit of processes (ulimit -u)".formatted(kind);
        }
        return "out of memory: %s: a smaller model, less --kv-memory, or a machine with more memory"
                .formatted(error.getMessage() == null ? "the system has none left" : kind);
    }
}
