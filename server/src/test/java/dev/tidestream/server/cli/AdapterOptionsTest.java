package dev.tidestream.server.cli;

import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import dev.tidestream.server.adapters.AdapterLimits;
import dev.tidestream.server.app.ServerConfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What {@code serve} is told of adapters; and that it is told of all that its classes of options have. */
class AdapterOptionsTest {

    private static final class Serve extends ServeOptions implements Callable<Integer> {
        @Override
        public Integer call() {
            return 0;
        }
    }

    private static ServerConfig.Adapters taken(String... args) {
        Serve serve = new Serve();
        assertEquals(new Run(0, "", ""), Run.of(serve, args));
        return serve.config().adapters();
    }

    @Test
    void shouldHaveTheSameDefaultsAsAServerOfAProgram() {
        assertEquals(ServerConfig.Adapters.DEFAULT, taken());
    }

    @Test
    void shouldTakeAdaptersInTheirOrder() {
        ServerConfig.Adapters adapters = taken("--adapter", "tone=b/tone.gguf", "--adapter", "law=a=b,org/plain=c", "--adapter-dir", "dir",
                "--adapter-memory", "3MiB", "--max-adapters", "7");
        assertEquals(List.of(Map.entry("tone", Path.of("b/tone.gguf")), Map.entry("law", Path.of("a=b")),
                Map.entry("org/plain", Path.of("c"))), List.copyOf(adapters.atStart().entrySet()));
        assertEquals(new AdapterLimits(7, 3 << 20, Path.of("dir")), adapters.limits());
    }

    @ParameterizedTest
    @ValueSource(strings = {"law", "=a", "law=", ""})
    void shouldRefuseWhatNamesNoAdapter(String value) {
        Run run = Run.of(new Serve(), "--adapter=" + value);
        assertEquals(2, run.code(), run.toString());
        assertTrue(run.err().contains("--adapter must be NAME=PATH, each name once: " + value), run.err());
    }

    @Test
    void shouldRefuseANameThatIsGivenTwice() {
        for (String[] twice : new String[][] {{"--adapter", "law=a", "--adapter", "law=b"}, {"--adapter", "law=a,law=b"}}) {
            Run run = Run.of(new Serve(), twice);
            assertEquals(2, run.code(), run.toString());
            assertTrue(run.err().contains("each name once: law=b"), run.err());
        }
    }

    /** A class of options in a field that is no mixin would be a set of defaults that nobody can change. */
    @Test
    void shouldMixInEveryClassOfOptions() {
        List<Field> options = Arrays.stream(ServeOptions.class.getDeclaredFields()).filter(field -> hasOptions(field.getType())).toList();
        assertTrue(options.size() >= 12, options.toString());
        for (Field field : options) {
            assertTrue(field.isAnnotationPresent(Mixin.class), field.toString());
        }
    }

    private static boolean hasOptions(Class<?> type) {
        return Arrays.stream(type.getDeclaredFields())
                .anyMatch(field -> field.isAnnotationPresent(Option.class) || field.isAnnotationPresent(Mixin.class))
                || Arrays.stream(type.getDeclaredMethods()).anyMatch(method -> method.isAnnotationPresent(Option.class));
    }
}
