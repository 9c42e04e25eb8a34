package dev.tidestream.server.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.kernels.jit.GeneratedKernels;
import dev.tidestream.model.tensor.Kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Machines of different kinds in one cluster: scalar code, portable vectors of 128 and 256 bits (processes of their own, since the
 * width is a process's), and the code that is generated for AVX2 and AVX-512 where this machine has them. Streams run on each, and go
 * from one to the other in their midst; tokens and log-probabilities have the bits of the scalar machine.
 */
class MixedMachinesIT {
    /** One that makes tokens, wherever it is. */
    private interface Machine extends AutoCloseable {
        String name();

        List<String> tokens(int model, int plan, int[] generated, int count);

        @Override
        void close();
    }

    private static final List<Machine> MACHINES = new ArrayList<>();

    @BeforeAll
    static void start() throws IOException {
        SharedData.path("models/stories260K/stories260K.gguf"); // or skips, before anything is started
        Machine narrow = new Elsewhere(128); // they start while the others are loaded
        Machine wide = new Elsewhere(256);
        MACHINES.add(new Here("scalar", KernelSelection.scalar()));
        MACHINES.add(new Here("fastest", KernelSelection.fastest()));
        for (int bits : new int[] {256, 512}) {
            GeneratedKernels.find("on", OptionalInt.of(bits)).ifPresent(kernels -> MACHINES.add(new Here(kernels.title(), kernels)));
        }
        MACHINES.add(narrow);
        MACHINES.add(wide);
    }

    @AfterAll
    static void stop() {
        MACHINES.forEach(Machine::close);
        MACHINES.clear();
    }

    private static List<String> undisturbed(int model, int plan) {
        return MACHINES.getFirst().tokens(model, plan, new int[0], MixedMachine.TOKENS);
    }

    @Test
    void shouldHaveMachinesOfSeveralKinds() {
        List<String> names = MACHINES.stream().map(Machine::name).toList();
        assertTrue(names.containsAll(List.of("scalar", "vector-128", "vector-256")), names.toString());
        assertTrue(MACHINES.size() >= 4, names.toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldMakeTheSameStreamsOnAllMachines(int model) {
        for (int plan = 0; plan < MixedMachine.PLANS; plan++) {
            List<String> expected = undisturbed(model, plan);
            assertEquals(MixedMachine.TOKENS, expected.size());
            for (Machine machine : MACHINES) {
                assertEquals(expected, machine.tokens(model, plan, new int[0], MixedMachine.TOKENS),
                        "machine=%s, model=%d, plan=%d".formatted(machine.name(), model, plan));
            }
        }
    }

    /** Each stream is handed on at random, to any other machine, until it has been everywhere. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldGoOnFromOneMachineToAnotherInMidStream(int model) {
        Random random = new Random(model);
        for (int plan = 0; plan < MixedMachine.PLANS; plan++) {
            List<String> expected = undisturbed(model, plan);
            List<String> all = new ArrayList<>();
            List<String> way = new ArrayList<>();
            int at = random.nextInt(MACHINES.size());
            while (all.size() < MixedMachine.TOKENS) {
                int count = Math.min(MixedMachine.TOKENS - all.size(), 1 + random.nextInt(2 * MixedMachine.TOKENS / MACHINES.size()));
                all.addAll(MACHINES.get(at).tokens(model, plan, MixedMachine.ids(all), count));
                way.add(count + " of " + MACHINES.get(at).name());
                at = (at + 1) % MACHINES.size();
            }
            assertEquals(expected, all, "model=%d, plan=%d: %s".formatted(model, plan, way));
            assertTrue(way.size() > 1, way.toString());
        }
    }

    /** Kernels that this process has. */
    private static final class Here implements Machine {
        private final String name;
        private final List<MixedMachine> models;

        Here(String name, Kernels kernels) {
            this.name = name;
            models = IntStream.range(0, MixedMachine.MODELS).mapToObj(model -> new MixedMachine(model, kernels)).toList();
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public List<String> tokens(int model, int plan, int[] generated, int count) {
            return models.get(model).tokens(plan, generated, count);
        }

        @Override
        public void close() {
            models.forEach(MixedMachine::close);
        }
    }

    /** Portable kernels of some width, in a process that has no others. */
    private static final class Elsewhere implements Machine {
        private final Process process;
        private final BufferedReader says;
        private final Writer asks;
        private String name = "";

        Elsewhere(int bits) throws IOException {
            process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-Dtidestream.vector.bits=" + bits,
                    "-Dtidestream.machine.code=off", "-D" + SharedData.PROPERTY + "=" + SharedData.path("").toAbsolutePath(),
                    "-cp", System.getProperty("java.class.path"), MixedMachine.class.getName())
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            says = process.inputReader(StandardCharsets.US_ASCII);
            asks = process.outputWriter(StandardCharsets.US_ASCII);
        }

        @Override
        public String name() {
            try {
                if (name.isEmpty()) { // the first line
                    name = String.valueOf(says.readLine());
                }
                return name;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public List<String> tokens(int model, int plan, int[] generated, int count) {
            String ids = IntStream.of(generated).mapToObj(id -> " " + id).collect(Collectors.joining());
            String from = name();
            try {
                asks.write(model + " " + plan + " " + count + ids + "\n");
                asks.flush();
                String line = says.readLine();
                if (line == null) {
                    throw new AssertionError("the process has ended: " + from);
                }
                return List.of(line.split(" "));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            process.destroy();
            try {
                if (!process.waitFor(10, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
