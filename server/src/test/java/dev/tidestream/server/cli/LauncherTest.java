package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static dev.tidestream.server.cli.LauncherCheckout.WARNING;
import static dev.tidestream.server.cli.LauncherCheckout.age;
import static dev.tidestream.server.cli.LauncherCheckout.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How the script {@code tidestream} starts the JVM. */
class LauncherTest {
    private static final String ARCHIVE = "-XX:SharedArchiveFile=";

    @TempDir
    Path folder;

    private LauncherCheckout checkout;

    @BeforeEach
    void makeACheckout() {
        checkout = new LauncherCheckout(folder);
    }

    @Test
    void shouldPassTheJvmFlagsOfTheBuild() throws Exception {
        String pom = Files.readString(LauncherCheckout.repository().resolve("pom.xml"));
        String flags = pom.replaceAll("(?s).*<tidestream.jvm.flags>(.*)</tidestream.jvm.flags>.*", "$1");
        assertTrue(checkout.launch().out().lines().toList().containsAll(List.of(flags.split(" "))), flags);
    }

    @Test
    void shouldKeepAnArchiveOfClassesForServersOnly() throws Exception {
        assertEquals(checkout.root.resolve("server/target"), archive(checkout.launch("serve")).getParent());
        assertTrue(checkout.launch("generate").out().lines().noneMatch(line -> line.startsWith(ARCHIVE)));
    }

    private static Path archive(Run run) {
        return Path.of(run.out().lines().filter(line -> line.startsWith(ARCHIVE)).findFirst().orElseThrow()
                .substring(ARCHIVE.length()));
    }

    /** The JVM refuses an archive of other jars, and does not replace it. */
    @Test
    void shouldDropAnArchiveThatIsOlderThanTheJarOrOfOtherJars() throws Exception {
        Path archive = write(archive(checkout.launch("serve")), "classes");
        Path other = write(checkout.root.resolve("server/target/serve-1-2.jsa"), "classes of a server that ended after a build");
        assertEquals(archive, archive(checkout.launch("serve")));
        assertTrue(Files.exists(archive));
        assertFalse(Files.exists(other));
        age(archive, 20);
        checkout.launch("serve");
        assertFalse(Files.exists(archive));
        age(checkout.jar, 3600);
        assertNotEquals(archive, archive(checkout.launch("serve")));
    }

    @Test
    void shouldWorkThroughSymbolicLinks() throws Exception {
        Path relative = Files.createSymbolicLink(checkout.root.resolve("link"), Path.of("tidestream"));
        Path absolute = Files.createSymbolicLink(folder.resolve("ts"), relative);
        assertTrue(checkout.launch(absolute, "x").out().contains("\n" + checkout.jar + ":"));
    }

    @Test
    void shouldStartTheLoadTest() throws Exception {
        List<String> args = checkout.launch("loadtest", "--streams", "8").out().lines().toList();
        int main = args.indexOf("dev.tidestream.loadtest.Main");
        assertTrue(args.get(main - 1).startsWith(checkout.root + "/loadtest/target/*:"), args.get(main - 1));
        assertEquals(List.of("--streams", "8"), args.subList(main + 1, args.size()));
    }

    /** Of a release, a Java that cannot compile will do, also its own; and nothing is built. */
    @Test
    void shouldStartFromARelease() throws Exception {
        Path home = folder.resolve("tidestream-1.2.3");
        Path script = LauncherCheckout.executable(home.resolve("bin/tidestream"), Files.readString(checkout.root.resolve("tidestream")));
        Path jar = write(home.resolve("lib/tidestream-server.jar"), "").toRealPath();
        Path runtime = checkout.jdk("tidestream-1.2.3/runtime", "25.0.3", "echo runtime; printf '%s\\n' \"$@\"");
        for (Path java : List.of(runtime, checkout.jdk)) {
            Files.delete(java.resolve("bin/javac"));
        }
        Run serve = checkout.launch(script, "serve");
        assertTrue(serve.out().contains("\n" + jar + ":" + jar.getParent() + "/*\n"), serve.out());
        assertEquals(home.toRealPath().resolve("cache"), archive(serve).getParent());
        assertTrue(Files.isDirectory(home.resolve("cache")));
        assertTrue(checkout.launch(script, "loadtest").out().contains("\n" + jar.getParent() + "/loadtest/*\n"));
        checkout.jdk = checkout.jdk("jdk17", "17.0.15", "echo wrong");
        checkout.environment("PATH", checkout.jdk.resolve("bin") + ":/usr/bin:/bin");
        assertTrue(checkout.launch(script, "serve").out().startsWith("runtime\n"));
        assertEquals(List.of(), checkout.builds());
    }

    @Test
    void shouldPassOverOtherJdks() throws Exception {
        checkout.jdk = checkout.jdk("jdk17", "17.0.15", "echo wrong");
        Run run = checkout.launch();
        assertEquals("", run.out());
        assertTrue(run.err().contains("needs JDK 25, found none: set JAVA_HOME to one (JAVA_HOME=" + checkout.jdk)
                || run.err().contains("dev.tidestream.server.cli.Main"), run.err()); // a JDK 25 of the machine
    }

    /** Else the JVM would not know the characters of arguments and file names. */
    @Test
    void shouldUseUtf8InEveryLocale() throws Exception {
        checkout.jdk = checkout.jdk("locales", "25", "locale charmap; echo $LC_ALL");
        checkout.locale(Map.of());
        assertEquals("UTF-8\nC.UTF-8\n", checkout.launch().out());
        checkout.locale(Map.of("LANG", "C"));
        assertEquals(new Run(0, "UTF-8\nC.UTF-8\n", ""), checkout.launch());
        checkout.locale(Map.of("LC_ALL", "xx_XX.UTF-8")); // not installed, which is as good as none
        assertEquals("UTF-8\nC.UTF-8\n", checkout.launch().out());
        checkout.locale(Map.of("LC_ALL", "C", "LC_CTYPE", "fr_FR.ISO-8859-1"));
        assertEquals("UTF-8\nC.UTF-8\n", checkout.launch().out());
    }

    @Test
    void shouldSayWhatIsATerminal() throws Exception {
        assertTrue(checkout.launch().out().lines().toList().containsAll(List.of("-Dtidestream.terminal=false",
                "-Dtidestream.terminal.stdout=false", "-Dtidestream.terminal.stdin=false")));
    }

    @Test
    void shouldHideNothingButTheWarning() throws Exception {
        String warn = "echo '" + WARNING + "' >&2; ";
        checkout.jdk = checkout.jdk("other", "25", "echo first >&2; " + warn + warn + "echo last >&2");
        checkout.launch();
        assertEquals("first\n" + WARNING + "\nlast\n", checkout.launch().err());
        checkout.jdk = checkout.jdk("quiet", "25", "echo 'Error: something' >&2; printf 'no end' >&2; exit 1");
        assertEquals(new Run(1, "", "Error: something\nno end"), checkout.launch());
    }

    private static boolean addsTheVectorApi(Run run) {
        return run.out().lines().anyMatch("--add-modules=jdk.incubator.vector"::equals);
    }

    private void processor(String flags) throws Exception {
        write(checkout.machine.resolve("proc/cpuinfo"),
                "processor\t: 0\nflags\t\t: fpu sse2 " + flags + "\nbugs\t\t: avx2 fma f16c\n\n");
    }

    @ParameterizedTest
    @CsvSource({
        "avx2 fma f16c, false",
        "f16c bmi1 fma avx2 rdseed, false",
        "avx512f avx2 fma f16c avx512bw avx512vbmi avx512_vnni, false",
        "avx512f avx512bw avx512_vnni avx2 fma f16c, true",
        "avx2 fma, true",
        "avx fma4 f16c avx2x, true"})
    void shouldAddTheVectorApiWhereNoKernelsAreGenerated(String flags, boolean adds) throws Exception {
        processor(flags);
        assertEquals(adds, addsTheVectorApi(checkout.launch("serve")));
    }

    @Test
    void shouldAddTheVectorApiWhereTheProcessorIsNotKnown() throws Exception {
        assertTrue(addsTheVectorApi(checkout.launch("serve")));
        write(checkout.machine.resolve("proc/cpuinfo"), "processor\t: 0\nFeatures\t: fp asimd\n");
        assertTrue(addsTheVectorApi(checkout.launch("serve")));
    }

    @Test
    void shouldAddTheVectorApiToWhatAsksForIt() throws Exception {
        processor("avx2 fma f16c");
        assertTrue(addsTheVectorApi(checkout.launch("bench", "head")));
        assertFalse(addsTheVectorApi(checkout.launch("bench", "update")));
        for (String option : List.of("-Dtidestream.machine.code=off", "-Dtidestream.vector.bits=128", "-XX:UseAVX=0")) {
            checkout.javaOptions = option;
            assertTrue(addsTheVectorApi(checkout.launch("generate")), option);
        }
    }

    @Test
    void shouldLeaveErrorsAsTheyAreWithoutTheVectorApi() throws Exception {
        processor("avx2 fma f16c");
        checkout.launch();
        assertEquals(WARNING + "\nhalf", checkout.launch().err());
    }
}
