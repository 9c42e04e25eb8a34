package dev.tidestream.server.configuration;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;

/**
 * A file of settings in YAML 1.2: one flat mapping, a scalar or a list of scalars for each name. Values stay text as it was
 * written, so that an option says what is wrong with one, whichever way it came. Nodes are composed and never made objects of:
 * a tag can do nothing. At most {@value #MAX_BYTES} bytes, no aliases.
 */
final class SettingsFile {
    static final int MAX_BYTES = 256 << 10;
    private static final int SHOWN_CHARS = 100;

    private final Path file;
    private final SettingNames names;

    private SettingsFile(Path file, SettingNames names) {
        this.file = file;
        this.names = names;
    }

    /**
     * All settings of a file, by name.
     *
     * @throws ConfigurationException if it cannot be read, is no such mapping, or has a name that there is not
     */
    static Map<String, Setting> read(Path file, SettingNames names) throws ConfigurationException {
        return new SettingsFile(file, names).read();
    }

    private Map<String, Setting> read() throws ConfigurationException {
        LoadSettings limits = LoadSettings.builder().setLabel(file.toString()).setCodePointLimit(MAX_BYTES)
                .setAllowDuplicateKeys(false).setMaxAliasesForCollections(0).setAllowRecursiveKeys(false).build();
        Optional<Node> root;
        try {
            root = new Compose(limits).composeString(text());
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().or(e::getContextMark).map(mark -> mark.getLine() + 1).orElse(1);
            throw new ConfigurationException("%s:%d: no YAML: %s".formatted(file, line, shown(String.valueOf(e.getProblem()))),
                    e);
        } catch (YamlEngineException e) {
            throw new ConfigurationException("%s: no YAML: %s".formatted(file, shown(String.valueOf(e.getMessage()))), e);
        }
        Map<String, Setting> settings = new LinkedHashMap<>();
        if (root.isPresent()) {
            if (!(root.get() instanceof MappingNode mapping)) {
                throw new ConfigurationException(at(root.get()) + ": no mapping of names to values, such as max-streams: 64");
            }
            for (NodeTuple entry : mapping.getValue()) {
                Setting setting = setting(entry);
                Setting before = settings.put(setting.name(), setting);
                if (before != null) {
                    throw new ConfigurationException("%s: %s is given twice, before in %s"
                            .formatted(setting.origin().words(), setting.name(), before.origin().words()));
                }
            }
        }
        return settings;
    }

    private String text() throws ConfigurationException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new ConfigurationException("%s: too large: limit_bytes=%d".formatted(file, MAX_BYTES));
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (NoSuchFileException e) {
            throw new ConfigurationException("no such file: " + file, e);
        } catch (CharacterCodingException e) {
            throw new ConfigurationException(file + ": no UTF-8", e);
        } catch (IOException e) {
            throw new ConfigurationException("%s: cannot be read: %s".formatted(file, Reasons.of(e)), e);
        }
    }

    private Setting setting(NodeTuple entry) throws ConfigurationException {
        if (!(entry.getKeyNode() instanceof ScalarNode key)) {
            throw new ConfigurationException(at(entry.getKeyNode()) + ": a name must be a word");
        }
        String name = names.canonical(key.getValue()).orElseThrow(() -> unknown(key));
        List<String> values = new ArrayList<>();
        switch (entry.getValueNode()) {
            case ScalarNode value -> values.add(text(name, value));
            case SequenceNode list when names.lists().contains(name) -> {
                for (Node value : list.getValue()) {
                    if (!(value instanceof ScalarNode scalar)) {
                        throw new ConfigurationException("%s: %s takes a list of plain values".formatted(at(value), name));
                    }
                    values.add(text(name, scalar));
                }
            }
            default -> throw new ConfigurationException("%s: %s takes %s".formatted(
                    at(entry.getValueNode()), name, names.lists().contains(name) ? "a value or a list of values" : "one value"));
        }
        return new Setting(name, values, new Origin.FileLine(file, line(key)));
    }

    private ConfigurationException unknown(ScalarNode key) {
        return new ConfigurationException("%s: unknown setting '%s'%s".formatted(
                at(key), shown(key.getValue()), names.nearest(key.getValue()).map("; did you mean %s?"::formatted).orElse("")));
    }

    private String text(String name, ScalarNode value) throws ConfigurationException {
        if (value.getTag().equals(Tag.NULL)) {
            throw new ConfigurationException("%s: %s has no value".formatted(at(value), name));
        }
        return value.getValue();
    }

    private static String shown(String text) {
        return Printable.value(text, SHOWN_CHARS);
    }

    private String at(Node node) {
        return file + ":" + line(node);
    }

    private static int line(Node node) {
        return node.getStartMark().map(Mark::getLine).orElse(0) + 1;
    }
}
