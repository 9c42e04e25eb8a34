package dev.tidestream.model.tied;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Loading ND4J takes about a second and 100 MB: who does not use it must not pay. */
class PackedWithoutNd4jTest {

    @Test
    void shouldNotLoadAClassOfNd4jForThePackedMode() throws ReflectiveOperationException, IOException {
        try (RecordingLoader loader = new RecordingLoader()) {
            Class<?> probe = loader.loadClass(Probe.class.getName());
            ((Runnable) probe.getDeclaredConstructor().newInstance()).run();
            assertTrue(loader.names.contains(HeadVerifier.class.getName()), "the probe has not run: " + loader.names);
            assertTrue(loader.names.contains(TiedHeads.class.getName()), "the probe has not run: " + loader.names);
            assertEquals(0, loader.ofNd4j(), () -> "loaded: " + loader.names);

            loader.loadClass("org.nd4j.linalg.api.buffer.DataType"); // the loader would have seen one
            assertEquals(1, loader.ofNd4j());
        }
    }

    /** All that a server does with a packed head. */
    public static final class Probe implements Runnable {
        @Override
        public void run() {
            try (Arena arena = Arena.ofShared()) {
                PanelMatrix weight = HeadCases.weight(TensorFormat.Q8_0, 40, 64, 1, arena);
                try (EmbeddingLayer head = HeadCases.head(HeadMode.PACKED, weight, WorkerTeam.sequential())) {
                    float[] states = HeadCases.states(2, 64, 2);
                    assertTrue(HeadVerifier.compare(head, head, states, 2, WorkerTeam.sequential()).withinBound());
                    assertEquals(0, head.stats().optimizationOverhead());
                }
            }
        }
    }

    /** Loads everything but the JDK's classes anew, and notes their names. */
    private static final class RecordingLoader extends URLClassLoader {
        private final Set<String> names = ConcurrentHashMap.newKeySet();

        RecordingLoader() {
            super(classPath(), ClassLoader.getPlatformClassLoader());
        }

        private static URL[] classPath() {
            return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                    .map(entry -> url(Path.of(entry)))
                    .toArray(URL[]::new);
        }

        private static URL url(Path path) {
            try {
                return path.toUri().toURL();
            } catch (MalformedURLException e) {
                throw new AssertionError("no URL: " + path, e);
            }
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            names.add(name);
            return super.findClass(name);
        }

        long ofNd4j() {
            return names.stream().filter(name -> name.startsWith("org.nd4j.") || name.startsWith("org.bytedeco.")).count();
        }
    }
}
