package dev.tidestream.server.adapters.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.adapter.StoredMatrix;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.server.adapters.file.BaseModules.Module;
import dev.tidestream.server.safetensors.SafetensorsFile;

/** The tensors of a PEFT adapter, sorted by module and use. A key without a use is refused, and half a pair is. */
final class PeftKeys {
    private static final String ROOT = "base_model.model.";
    private static final int MAX_KEY_CHARS = 512;
    private static final int ALIGNMENT = 64;

    /** What a tensor is for, by the end of its key; longer ends first. */
    enum Use {
        A(".lora_A.weight"),
        B(".lora_B.weight"),
        EMBEDDING_A(".lora_embedding_A"),
        EMBEDDING_B(".lora_embedding_B"),
        TOKENS(".token_adapter.trainable_tokens_delta"),
        BASE_OF_TOKENS(".token_adapter.base_layer.weight"),
        BASE(".base_layer.weight"),
        SAVED(".weight");

        private final String end;

        Use(String end) {
            this.end = end;
        }
    }

    /** What a file has of a module. */
    record Entry(Module module, Map<Use, StoredMatrix> tensors) {
        /** One that is known to be there. */
        StoredMatrix get(Use use) {
            return Objects.requireNonNull(tensors.get(use));
        }

        Optional<StoredMatrix> find(Use use) {
            return Optional.ofNullable(tensors.get(use));
        }

        /** The copies of the base matrix that it has. */
        List<StoredMatrix> copies() {
            return List.of(Use.BASE, Use.BASE_OF_TOKENS).stream().filter(tensors::containsKey).map(tensors::get).toList();
        }
    }

    private final Map<String, Entry> entries = new LinkedHashMap<>(); // by path

    /** @throws AdapterException if a key would not be used; names it */
    PeftKeys(SafetensorsFile file, BaseModules modules) {
        file.tensors().values().forEach(tensor -> add(file, tensor, modules));
        entries.values().forEach(PeftKeys::requirePairs);
        requireOnePathEach();
    }

    private void add(SafetensorsFile file, SafetensorsFile.Tensor tensor, BaseModules modules) {
        String key = tensor.name();
        if (!key.startsWith(ROOT) || key.length() > MAX_KEY_CHARS) {
            throw unused(key, "it does not begin with %s, or has more than %d characters".formatted(ROOT, MAX_KEY_CHARS));
        }
        for (Use use : Use.values()) {
            if (key.endsWith(use.end) && key.length() > ROOT.length() + use.end.length()) {
                String path = key.substring(ROOT.length(), key.length() - use.end.length());
                Module module = modules.find(path)
                        .orElseThrow(() -> unused(key, BaseModules.whyNot(path)));
                requireUse(key, use, module);
                entries.computeIfAbsent(path, _ -> new Entry(module, new EnumMap<>(Use.class))).tensors().put(use, matrix(file, tensor));
                return;
            }
        }
        throw unused(key, "it is of a kind that is not supported");
    }

    private static void requireUse(String key, Use use, Module module) {
        boolean fits = switch (use) {
            case A, B -> module.role() != TensorRole.EMBEDDING;
            case EMBEDDING_A, EMBEDDING_B -> module.role() == TensorRole.EMBEDDING;
            case TOKENS, BASE_OF_TOKENS, SAVED -> module.isEnd();
            case BASE -> true;
        };
        if (!fits) {
            throw unused(key, "a module of this kind is not changed like this");
        }
    }

    static AdapterException unused(String key, String why) {
        return new AdapterException("key '%s' would not be used: %s".formatted(Names.quote(key), why));
    }

    private static StoredMatrix matrix(SafetensorsFile file, SafetensorsFile.Tensor tensor) {
        TensorFormat format = switch (tensor.type()) {
            case F32 -> TensorFormat.F32;
            case F16 -> TensorFormat.F16;
            case BF16 -> TensorFormat.BF16;
            case U8, U16, BOOL, I32, I64 -> throw new AdapterException("key '%s' has a dtype that is not supported: %s"
                    .formatted(Names.quote(tensor.name()), tensor.type()));
        };
        List<Long> shape = tensor.shape();
        if (shape.size() != 2 || shape.stream().anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
            throw new AdapterException("key '%s' has shape %s, and is no matrix".formatted(Names.quote(tensor.name()), shape));
        }
        return new StoredMatrix(Names.quote(tensor.name()), format, shape.getFirst().intValue(), shape.getLast().intValue(),
                aligned(file.data(tensor)));
    }

    private static MemorySegment aligned(MemorySegment data) {
        return data.address() % Long.BYTES == 0 ? data : Arena.ofAuto().allocate(data.byteSize(), ALIGNMENT).copyFrom(data);
    }

    private static void requirePairs(Entry entry) {
        requirePair(entry, Use.A, Use.B);
        requirePair(entry, Use.EMBEDDING_A, Use.EMBEDDING_B);
    }

    private static void requirePair(Entry entry, Use first, Use second) {
        if (entry.tensors().containsKey(first) != entry.tensors().containsKey(second)) {
            Use there = entry.tensors().containsKey(first) ? first : second;
            Use missing = there == first ? second : first;
            throw new AdapterException("half a pair: the file has '%s' and no '%s%s%s'".formatted(
                    entry.get(there).name(), ROOT, Names.quote(entry.module().path()), missing.end));
        }
    }

    private void requireOnePathEach() {
        Map<List<Object>, Module> places = new LinkedHashMap<>();
        for (Entry entry : entries.values()) {
            Module module = entry.module();
            Module other = places.putIfAbsent(List.of(module.role(), module.layer()), module);
            if (other != null) {
                throw new AdapterException("'%s' and '%s' are the same module of the model".formatted(
                        Names.quote(other.path()), Names.quote(module.path())));
            }
        }
    }

    /** What the file has, in its order. */
    Iterable<Entry> entries() {
        return entries.values();
    }

    /** What the file has of a module. */
    Optional<Entry> find(TensorRole role, int layer) {
        return entries.values().stream().filter(entry -> entry.module().role() == role && entry.module().layer() == layer).findFirst();
    }

    /** What stands in front of layers and embedding in the paths of this file. */
    String layerPrefix(String otherwise) {
        return entries.values().stream().map(Entry::module).filter(module -> module.role() != TensorRole.OUTPUT)
                .findFirst().map(Module::prefix).orElse(otherwise);
    }

    /** What stands in front of the output head. */
    String headPrefix() {
        return find(TensorRole.OUTPUT, -1).map(entry -> entry.module().prefix()).orElse("");
    }
}
