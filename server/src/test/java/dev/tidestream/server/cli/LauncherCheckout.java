package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** The script {@code tidestream}, in a checkout, with a JDK and a Maven that are made of shell scripts. */
final class LauncherCheckout {
    static final String WARNING = "WARNING: Using incubator modules: jdk.incubator.vector";

    final Path folder;
    final Path root;
    /** A source of the server. */
    final Path source;
    final Path jar;
    /** Of the machine as the script sees it: {@code proc} and {@code cgroup}. */
    final Path machine;
    Path jdk;
    Path maven;
    String javaOptions = "-Da=1 -Db=2";

    private final Map<String, String> environment = new HashMap<>();
    private @Nullable Map<String, String> locale;

    /** @param folder for all that is made */
    LauncherCheckout(Path folder) {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no /bin/bash");
        this.folder = folder;
        machine = folder.resolve("machine");
        try {
            root = Files.createDirectory(folder.resolve("check out")).toRealPath();
            // The script itself, but for the two places where Linux tells of memory.
            String script = Files.readString(repository().resolve("tidestream"))
                    .replace("/proc/", machine + "/proc/").replace("/sys/fs/cgroup", machine + "/cgroup");
            executable(root.resolve("tidestream"), script);
            source = write(root.resolve("server/src/main/java/A.java"), "");
            for (String module : List.of("protocol", "model", "loadtest")) {
                write(root.resolve(module + "/src/main/java/A.java"), "");
            }
            for (String module : List.of("protocol/", "model/", "server/", "loadtest/", "")) {
                write(root.resolve(module + "pom.xml"), "");
            }
            jar = root.resolve("server/target/tidestream-server.jar");
            jdk = jdk("jdk", "25.0.1", "echo '%s' >&2; printf '%%s\\n' \"$@\"; printf 'half' >&2; exit 7".formatted(WARNING));
            maven = executable(folder.resolve("fake-mvn"), """
                    #!/bin/bash
                    echo "$@" >> "%s/maven.log"
                    for part in server loadtest; do
                        case " $* " in *[\\ ,]"$part"[\\ ,]*)
                            mkdir -p $part/target/lib $part/target/maven-status
                            touch $part/target/tidestream-$part.jar ;;
                        esac
                    done
                    """.formatted(folder));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ageSources();
    }

    static Path repository() {
        Path here = Path.of("").toAbsolutePath();
        return Stream.iterate(here, path -> path != null, Path::getParent)
                .filter(path -> Files.exists(path.resolve("tidestream")) && Files.exists(path.resolve("pom.xml")))
                .findFirst().orElseThrow(() -> new AssertionError("no launcher above " + here));
    }

    static Path write(Path path, String text) throws IOException {
        Files.createDirectories(path.getParent());
        return Files.writeString(path, text);
    }

    static Path executable(Path path, String text) throws IOException {
        write(path, text.startsWith("#!") ? text : "#!/bin/bash\n" + text + "\n");
        assertTrue(path.toFile().setExecutable(true));
        return path;
    }

    Path jdk(String name, String version, String java) throws IOException {
        Path home = folder.resolve(name);
        executable(home.resolve("bin/java"), java);
        executable(home.resolve("bin/javac"), "exit 1");
        write(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    /** For all launches from now on. */
    void environment(String name, String value) {
        environment.put(name, value);
    }

    /** What the environment says of the locale, for all launches from now on; otherwise that of the test. */
    void locale(Map<String, String> variables) {
        locale = variables;
    }

    Run launch(String... args) throws IOException, InterruptedException {
        return launch(root.resolve("tidestream"), args);
    }

    Run launch(Path script, String... args) throws IOException, InterruptedException {
        return run(Stream.concat(Stream.of("/bin/bash", script.toString()), Arrays.stream(args)).toList());
    }

    /** Any command, in the launcher's environment. */
    Run run(List<String> command) throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        // Through a pipe to its end, so that the launcher's filter has ended, too. Java would give up reading when the launcher has.
        List<String> piped = new ArrayList<>(List.of("/bin/bash", "-c",
                "\"$@\" 2>&1 >'%s' | cat >'%s'; exit ${PIPESTATUS[0]}".formatted(out, err), "launch"));
        piped.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(piped);
        builder.directory(folder.toFile()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().put("TIDESTREAM_MAVEN", maven.toString());
        builder.environment().put("TIDESTREAM_JAVA_OPTS", javaOptions);
        if (locale != null) {
            builder.environment().keySet().removeIf(name -> name.equals("LANG") || name.startsWith("LC_"));
            builder.environment().putAll(locale);
        }
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err, StandardCharsets.UTF_8));
    }

    /** The arguments of each Maven that was started. */
    List<String> builds() throws IOException {
        Path log = folder.resolve("maven.log");
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    /** A file's time, relative to now. */
    static void age(Path path, int seconds) throws IOException {
        Files.setLastModifiedTime(path, FileTime.fromMillis(System.currentTimeMillis() - 1000L * seconds));
    }

    private void ageSources() {
        try (Stream<Path> tree = Files.walk(root)) {
            for (Path path : tree.filter(path -> !path.toString().contains("target")).toList()) {
                age(path, 100);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
