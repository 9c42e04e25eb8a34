package dev.tidestream.loadtest;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

import com.sun.management.OperatingSystemMXBean;
import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.wire.ModelInfo;
import dev.tidestream.loadtest.wire.ServerInfo;

/** What is measured and where, by name and for people: without it nobody can compare two reports. */
final class Environment {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final String UNKNOWN = "not told";

    private Environment() {}

    /**
     * Of the server at an address; blocks.
     *
     * @param key for the server; null: without
     */
    static Map<String, String> of(URI url, ModelInfo model, @Nullable String key) throws InterruptedException {
        ServerInfo server = ServerInfo.of(url, key);
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", text(model));
        facts.put("server", server.fact("version").map(version -> "tidestream " + version + ", Java "
                + server.fact("java").orElse(UNKNOWN)).orElse(UNKNOWN) + ", " + url.getRawAuthority());
        facts.put("threads", server.fact("threads").orElse(UNKNOWN));
        facts.put("kernels", server.fact("kernels").orElse(UNKNOWN));
        facts.put("processor", processor() + (isLocal(url) ? "" : " (of the client; the server is elsewhere)"));
        facts.put("loadtest", new Version().getVersion()[0].replaceFirst("^tidestream loadtest ", ""));
        return facts;
    }

    /** Of a server beside it. */
    static Map<String, String> ofBaseline(String name, URI url, ModelInfo model) {
        return Map.of("baseline", name + ": " + text(model) + ", " + url);
    }

    private static String text(ModelInfo model) {
        return model.id()
                + (model.parameters() == 0 ? "" : String.format(Locale.ROOT, ", %.1f million parameters",
                model.parameters() / 1e6))
                + (model.contextLength() == 0 ? "" : ", context " + model.contextLength())
                + (model.vocabularySize() == 0 ? "" : ", vocabulary " + model.vocabularySize());
    }

    private static boolean isLocal(URI url) {
        try {
            return InetAddress.getByName(url.getHost()).isLoopbackAddress();
        } catch (IOException e) {
            return false; // whoever cannot be found is not here
        }
    }

    /** Name, cores and memory of this machine. */
    static String processor() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return String.format(Locale.ROOT, "%s, %d cores, %.1f GiB, %s", processorName(),
                Runtime.getRuntime().availableProcessors(),
                system.getTotalMemorySize() / (double) (1 << 30), System.getProperty("os.name"));
    }

    private static String processorName() {
        if (!Files.isReadable(CPU_INFO)) {
            return System.getProperty("os.arch");
        }
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            return lines.filter(line -> line.startsWith("model name")).map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst().orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            return System.getProperty("os.arch"); // a container may hide it
        }
    }
}
