package dev.tidestream.server.admin.transaction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.safetensors.SafetensorsFile;
import dev.tidestream.server.safetensors.SafetensorsFile.Tensor;

/**
 * Reads what a part says. Its metadata say the kind, of all tensors or of one:
 *
 * <pre>
 * kind     tensors of the file, for a tensor X of the model     metadata
 * full     X
 * rows     X.rows (n) I32 or I64, X.values (n, columns)
 * sparse   X.indices (n) I32 or I64, X.values (n)
 * xor      X U16                                                base_sha256.X
 * lowrank  X.lora_A (rank, inputs), X.lora_B (outputs, rank)    scale, scale.X; 1 if there is none
 *
 * tidestream.kind or kind; tidestream.kind.X or kind.X; full if nothing is said; other metadata likewise
 * </pre>
 */
final class PartReader {
    private static final List<String> SUFFIXES = List.of(".rows", ".values", ".indices", ".lora_A", ".lora_B");

    /** Kinds, and what stands behind the names of their tensors. */
    private enum Kind {
        FULL(""),
        ROWS(".rows", ".values"),
        SPARSE(".indices", ".values"),
        XOR(""),
        LOWRANK(".lora_A", ".lora_B");

        @SuppressWarnings("ImmutableEnumChecker") // what List.of returns
        private final List<String> suffixes;

        Kind(String... suffixes) {
            this.suffixes = List.of(suffixes);
        }

        static Optional<Kind> of(String word) {
            return switch (word) {
                case "full", "replace" -> Optional.of(FULL);
                case "rows" -> Optional.of(ROWS);
                case "sparse" -> Optional.of(SPARSE);
                case "xor" -> Optional.of(XOR);
                case "lowrank", "low_rank" -> Optional.of(LOWRANK);
                default -> Optional.empty();
            };
        }
    }

    private final SafetensorsFile file;
    private final Map<String, Map<String, Tensor>> found = new LinkedHashMap<>(); // by name, then by suffix

    private PartReader(SafetensorsFile file) {
        this.file = file;
    }

    /**
     * All changes of a part, in the order of its header.
     *
     * @throws AdminException {@code invalid_value}, {@code invalid_file} if a tensor has no use, or one is missing; names the tensor
     */
    static List<PartChange> read(SafetensorsFile file) throws AdminException {
        PartReader reader = new PartReader(file);
        for (Tensor tensor : file.tensors().values()) {
            reader.sort(tensor);
        }
        List<PartChange> changes = new ArrayList<>();
        for (String name : reader.found.keySet()) {
            changes.add(reader.change(name));
        }
        return changes;
    }

    private void sort(Tensor tensor) throws AdminException {
        for (String suffix : SUFFIXES) {
            if (tensor.name().endsWith(suffix)) {
                String name = tensor.name().substring(0, tensor.name().length() - suffix.length());
                if (kind(name).suffixes.contains(suffix)) {
                    add(name, suffix, tensor);
                    return;
                }
            }
        }
        if (!kind(tensor.name()).suffixes.contains("")) {
            throw new AdminException(AdminErrorCode.INVALID_FILE, "tensor '%s' has no use in an update of kind %s, whose tensors end in %s"
                    .formatted(tensor.name(), kind(tensor.name()).name().toLowerCase(Locale.ROOT), kind(tensor.name()).suffixes));
        }
        add(tensor.name(), "", tensor);
    }

    private void add(String name, String suffix, Tensor tensor) {
        found.computeIfAbsent(name, n -> new LinkedHashMap<>()).put(suffix, tensor);
    }

    private @Nullable String said(String key, String name) {
        Map<String, String> metadata = file.metadata();
        for (String full : List.of("tidestream." + key + "." + name, key + "." + name, "tidestream." + key, key)) {
            if (metadata.containsKey(full)) {
                return metadata.get(full);
            }
        }
        return null;
    }

    private Kind kind(String name) throws AdminException {
        String word = said("kind", name);
        if (word == null) {
            return Kind.FULL;
        }
        return Kind.of(word).orElseThrow(() -> new AdminException(AdminErrorCode.INVALID_VALUE,
                "kind must be one of full, rows, sparse, xor, lowrank: tensor=%s, kind=%s".formatted(name, word)));
    }

    private PartChange change(String name) throws AdminException {
        return switch (kind(name)) {
            case FULL -> new PartChange.Full(name, file, need(name, ""));
            case ROWS -> new PartChange.Rows(name, file, need(name, ".rows"), need(name, ".values"));
            case SPARSE -> new PartChange.Sparse(name, file, need(name, ".indices"), need(name, ".values"));
            case XOR -> new PartChange.Xor(name, file, need(name, ""),
                    Optional.ofNullable(said("base_sha256", name)));
            case LOWRANK -> new PartChange.LowRank(name, file, need(name, ".lora_A"), need(name, ".lora_B"), scale(name));
        };
    }

    private Tensor need(String name, String suffix) throws AdminException {
        Tensor tensor = found.getOrDefault(name, Map.of()).get(suffix);
        if (tensor == null) {
            throw new AdminException(AdminErrorCode.INVALID_FILE, "tensor '%s' is missing: kind %s needs %s".formatted(
                    name + suffix, kind(name).name().toLowerCase(Locale.ROOT), kind(name).suffixes.stream().map(name::concat).toList()));
        }
        return tensor;
    }

    private double scale(String name) throws AdminException {
        String text = said("scale", name);
        try {
            double scale = text == null ? 1 : Double.parseDouble(text);
            if (Double.isFinite(scale)) {
                return scale;
            }
        } catch (NumberFormatException e) {
            // said below, with those that are not finite
        }
        throw new AdminException(AdminErrorCode.INVALID_VALUE, "scale must be a finite number: tensor=%s, scale=%s".formatted(name, text));
    }
}
