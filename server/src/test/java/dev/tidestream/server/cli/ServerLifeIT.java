package dev.tidestream.server.cli;

import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.LoggedLines;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the log says of a server from its start to its end. */
class ServerLifeIT {
    private static final String LOGGER = "tidestream.server";

    @TempDir
    Path temp;

    @Test
    void shouldSayWithWhatItStartsWhatBoundsItAndThatItHasEnded() throws Exception {
        try (LoggedLines logged = new LoggedLines(LOGGER)) {
            int port;
            try (StartedServer server = new StartedServer(temp, "--max-sequences", "7", "--kv-memory", "64MiB", "--threads", "2")) {
                port = server.port();
                server.serving.warmUp();
            }
            List<String> lines = logged.lines();
            String number = "\\d+";
            assertLine(lines, 0, "starting version=.+ jdk=25.* vm=.+ os=.+ arch=\\w+ processor=.+ cores=%s pid=%s memory_bytes=%s"
                    .formatted(number, number, number) + " max_heap_bytes=\\d+ max_direct_bytes=\\d+");
            assertLine(lines, 1, "loaded model=\"Tidestream starter\" file=\"starter-q8_0\\.gguf\" types=\"13 F32, 43 Q8_0\" "
                    + "head=\"tied: .+\" parameters=\\d+"
                    + " weights_bytes=\\d+ weights_version=1 context=512 vocabulary=4096 threads=2 kernels=.+ activations=int8"
                    + " head_activations=f32 kv_type=f16 since_start_ms=\\d+");
            assertLine(lines, 2, "data_dir path=\".+data\" weights_version=1 versions=0 base_sha256=[0-9a-f]{64}");
            assertLine(lines, 3, "limits of=engine max_sequences=7 .*kv_memory_bytes=67108864 .*");
            assertTrue(lines.stream().anyMatch(line ->
                    line.matches("INFO limits of=transport host=127\\.0\\.0\\.1 port=0 .*max_connections=256 .*")));
            assertTrue(lines.stream().anyMatch(line -> line.matches("INFO limits of=data_dir max_versions=10000 .*")));
            assertTrue(lines.stream().anyMatch(line -> line.matches("INFO limits of=admin_tokens per_second=1.0 burst=10 .*")));
            int end = lines.size();
            assertLine(lines, end - 3, "ready url=ws://127\\.0\\.0\\.1:%s/v1/stream since_start_ms=\\d+".formatted(Integer.toString(port)));
            assertLine(lines, end - 2, "stopping running_streams=0 queued_streams=0 "
                    + "until=\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+(Z|[+-]\\d\\d:\\d\\d)");
            assertLine(lines, end - 1, "stopped took_ms=\\d+ uptime_ms=\\d+");
        }
    }

    private static void assertLine(List<String> lines, int at, String pattern) {
        assertTrue(lines.get(at).matches("INFO " + pattern),
                "line %s: %s%nis not: %s".formatted(Integer.toString(at), lines.get(at), pattern));
    }
}
