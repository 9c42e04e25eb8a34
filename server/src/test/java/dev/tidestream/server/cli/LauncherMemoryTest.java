package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.tidestream.server.cli.LauncherCheckout.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The ceilings of heap and direct buffers that the script {@code tidestream} gives the JVM. */
class LauncherMemoryTest {
    @TempDir
    Path folder;

    private LauncherCheckout checkout;

    @BeforeEach
    void makeACheckout() throws Exception {
        checkout = new LauncherCheckout(folder);
        Files.createDirectories(checkout.jar.resolveSibling("lib"));
        write(checkout.jar, "");
        machine(8192);
    }

    private void machine(long mib) throws Exception {
        write(checkout.machine.resolve("proc/meminfo"), "MemTotal:       %d kB\nMemFree:        1 kB\n".formatted(mib * 1024));
    }

    private void groups(String lines) throws Exception {
        write(checkout.machine.resolve("proc/self/cgroup"), lines);
    }

    private void limit(String file, String value) throws Exception {
        write(checkout.machine.resolve("cgroup/" + file), value + "\n");
    }

    /** Heap and direct ceiling. */
    private List<String> ceilings(String... args) throws Exception {
        return checkout.launch(args).out().lines().filter(line -> line.startsWith("-Xmx") || line.startsWith("-XX:MaxDirect"))
                .toList();
    }

    private static List<String> ceilings(int heapMib, int directMib) {
        return List.of("-Xmx" + heapMib + "m", "-XX:MaxDirectMemorySize=" + directMib + "m");
    }

    @Test
    void shouldFitTheMachine() throws Exception {
        assertEquals(ceilings(2048, 1024), ceilings("serve"));
        machine(65_536);
        assertEquals(ceilings(4096, 2048), ceilings("serve"), "a server needs no more");
        assertEquals(ceilings(16_384, 2048), ceilings("bench"));
    }

    @Test
    void shouldStartOnSmallMachines() throws Exception {
        machine(768);
        assertEquals(ceilings(256, 128), ceilings("serve"));
        machine(256);
        assertEquals(ceilings(128, 64), ceilings("serve"), "never more than half and a quarter");
    }

    @Test
    void shouldFitTheContainer() throws Exception {
        groups("0::/\n");
        limit("memory.max", "max");
        assertEquals(ceilings(2048, 1024), ceilings("serve"));
        limit("memory.max", String.valueOf(2L << 30));
        assertEquals(ceilings(512, 256), ceilings("serve"));
    }

    @Test
    void shouldTakeTheLeastLimitOfNestedGroups() throws Exception {
        groups("0::/system.slice/tidestream.service\n");
        limit("system.slice/tidestream.service/memory.max", String.valueOf(6L << 30));
        limit("system.slice/memory.max", String.valueOf(4L << 30));
        assertEquals(ceilings(1024, 512), ceilings("serve"));
        groups("0::/docker/not-seen-from-in-here\n"); // the container's own group is mounted as the uppermost
        limit("memory.max", String.valueOf(1L << 30));
        assertEquals(ceilings(256, 128), ceilings("serve"));
    }

    @Test
    void shouldKnowControlGroupsOfTheFirstVersion() throws Exception {
        groups("11:cpu,cpuacct:/a\n4:memory:/a\n0::/\n");
        limit("memory/a/memory.limit_in_bytes", String.valueOf(3L << 30));
        limit("memory/memory.limit_in_bytes", "9223372036854771712"); // none
        assertEquals(ceilings(768, 384), ceilings("serve"));
    }

    @Test
    void shouldLeaveTheLastWordToTheUser() throws Exception {
        checkout.javaOptions = "-XX:MaxRAMPercentage=50";
        assertEquals(List.of("-XX:MaxDirectMemorySize=1024m"), ceilings("serve"), "-Xmx would win over a percentage");
        checkout.javaOptions = "-Xmx700m -XX:MaxDirectMemorySize=300m";
        List<String> options = ceilings("serve");
        assertEquals(List.of("-XX:MaxDirectMemorySize=1024m", "-Xmx700m", "-XX:MaxDirectMemorySize=300m"), options,
                "the last one holds");
    }

    @Test
    void shouldGiveNoneOfAMachineThatItDoesNotKnow() throws Exception {
        Files.delete(checkout.machine.resolve("proc/meminfo"));
        Path bin = Files.createDirectory(folder.resolve("bin"));
        LauncherCheckout.executable(bin.resolve("sysctl"), "exit 1");
        checkout.environment("PATH", bin + ":" + System.getenv("PATH"));
        assertEquals(List.of(), ceilings("serve"));
        LauncherCheckout.executable(bin.resolve("sysctl"), "[ \"$*\" = '-n hw.memsize' ] && echo 17179869184"); // macOS
        assertEquals(ceilings(4096, 2048), ceilings("serve"));
        assertTrue(checkout.builds().isEmpty());
    }
}
