package dev.tidestream.server.adapters.file;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorPlan.Planned;
import dev.tidestream.model.architecture.TensorRole;

/** The modules of a model that an adapter may change, by the paths that Hugging Face's classes have for them. */
final class BaseModules {
    /** In front of the layers and of the embedding; in models of models, in front of the language model. */
    private static final String PREFIX = "((?:[a-z_]+\\.)*?)";
    private static final Pattern LAYER = Pattern.compile(PREFIX + "(?:layers|h)\\.(0|[1-9]\\d{0,6})\\.([a-z_.]+)");
    private static final Pattern END = Pattern.compile(PREFIX + "(embed_tokens|wte|lm_head)");
    private static final String GPT2 = "gpt2";
    private static final String POSITIONS = "wpe";

    private static final Map<String, TensorRole> LLAMA_NAMES = Map.of(
            "self_attn.q_proj", TensorRole.QUERY,
            "self_attn.k_proj", TensorRole.KEY,
            "self_attn.v_proj", TensorRole.VALUE,
            "self_attn.qkv_proj", TensorRole.QUERY_KEY_VALUE,
            "self_attn.o_proj", TensorRole.ATTENTION_OUTPUT,
            "mlp.gate_proj", TensorRole.GATE,
            "mlp.up_proj", TensorRole.UP,
            "mlp.gate_up_proj", TensorRole.GATE_UP,
            "mlp.down_proj", TensorRole.DOWN);
    private static final Map<String, TensorRole> GPT2_NAMES = Map.of(
            "attn.c_attn", TensorRole.QUERY_KEY_VALUE,
            "attn.c_proj", TensorRole.ATTENTION_OUTPUT,
            "mlp.c_fc", TensorRole.UP,
            "mlp.c_proj", TensorRole.DOWN);

    private final TensorPlan plan;
    private final boolean gpt2;
    private final Map<String, TensorRole> names;

    /**
     * A matrix of the model.
     *
     * @param path of its module
     * @param role what it is for
     * @param layer whose it is; -1 for both ends
     * @param rows out
     * @param columns in
     * @param prefix of the path, in front of the layers or of the embedding
     */
    record Module(String path, TensorRole role, int layer, int rows, int columns, String prefix) {
        boolean isEnd() {
            return layer < 0;
        }
    }

    BaseModules(TensorPlan plan) {
        this.plan = plan;
        this.gpt2 = plan.blueprint().architecture().equals(GPT2);
        this.names = gpt2 ? GPT2_NAMES : LLAMA_NAMES;
    }

    Blueprint blueprint() {
        return plan.blueprint();
    }

    /** Whether matrices of layers are stored with inputs as rows by Hugging Face's classes. */
    boolean conv1d() {
        return gpt2;
    }

    /** The module of this path, if the model has it. */
    Optional<Module> find(String path) {
        Matcher end = END.matcher(path);
        if (end.matches()) {
            boolean head = end.group(2).equals("lm_head");
            return head || end.group(2).equals("wte") == gpt2
                    ? Optional.of(end(path, head ? TensorRole.OUTPUT : TensorRole.EMBEDDING, end.group(1))) : Optional.empty();
        }
        Matcher layer = LAYER.matcher(path);
        TensorRole role = layer.matches() ? names.get(layer.group(3)) : null;
        return role == null ? Optional.empty() : layer(path, role, Integer.parseInt(layer.group(2)), layer.group(1));
    }

    /** Why a path is not that of a module that can be changed. */
    static String whyNot(String path) {
        return path.equals(POSITIONS) || path.endsWith("." + POSITIONS)
                ? "'%s' is the table of learned positions, which adapters do not change here".formatted(Names.quote(path))
                : "the model has no module '%s' that can be changed".formatted(Names.quote(path));
    }

    private Module end(String path, TensorRole role, String prefix) {
        return new Module(path, role, -1, blueprint().vocabularySize(), blueprint().hiddenSize(), prefix);
    }

    private Optional<Module> layer(String path, TensorRole role, int layer, String prefix) {
        return planned(role, layer).map(planned -> new Module(
                path, role, layer, Math.toIntExact(planned.shape().getFirst()), Math.toIntExact(planned.shape().getLast()), prefix));
    }

    private Optional<Planned> planned(TensorRole role, int layer) {
        return plan.tensors().values().stream()
                .filter(planned -> planned.role() == role && planned.layer().orElse(-1) == layer && planned.matrix()).findFirst();
    }

    /** All modules, with paths that begin as those of a file do. */
    List<Module> all(String layerPrefix, String headPrefix) {
        List<Module> all = new ArrayList<>();
        for (int layer = 0; layer < blueprint().layers().size(); layer++) {
            for (Map.Entry<String, TensorRole> name : names.entrySet()) {
                String path = "%s%s.%d.%s".formatted(layerPrefix, gpt2 ? "h" : "layers", layer, name.getKey());
                layer(path, name.getValue(), layer, layerPrefix).ifPresent(all::add);
            }
        }
        all.add(end(layerPrefix + (gpt2 ? "wte" : "embed_tokens"), TensorRole.EMBEDDING, layerPrefix));
        all.add(end(headPrefix + "lm_head", TensorRole.OUTPUT, headPrefix));
        return all;
    }

    /** What stands in front of the layers if a file says nothing of it. */
    String usualPrefix() {
        return gpt2 ? "transformer." : "model.";
    }

    /** The module of a tensor of a GGUF file, if the model has it. */
    Optional<Module> ofTensor(String name) {
        if (plan.names().find(TensorRole.OUTPUT).equals(Optional.of(name))) {
            return Optional.of(end(name, TensorRole.OUTPUT, ""));
        }
        Planned planned = plan.tensors().get(name);
        if (planned == null || !planned.matrix()) {
            return Optional.empty();
        }
        if (planned.role() == TensorRole.EMBEDDING) {
            return Optional.of(end(name, TensorRole.EMBEDDING, ""));
        }
        return planned.layer().isPresent() ? layer(name, planned.role(), planned.layer().getAsInt(), "") : Optional.empty();
    }

    /** The name of the model's tensor that is a module's matrix; of a tied model's head that of the embedding. */
    String tensorOf(Module module) {
        if (module.role() == TensorRole.OUTPUT && blueprint().tied()) {
            return plan.names().weight(TensorRole.EMBEDDING);
        }
        return module.isEnd() ? plan.names().weight(module.role()) : plan.names().weight(module.role(), module.layer());
    }

    /**
     * Elements of a head if the rows of a matrix stand in another order than in the files of Hugging Face, the halves of each head
     * interleaved; 0 if they do not.
     */
    int interleaved(Module module) {
        boolean queryOrKey = module.role() == TensorRole.QUERY || module.role() == TensorRole.KEY;
        boolean pairs = blueprint().rotations().stream().anyMatch(rotation -> rotation.pairing() == Rotation.Pairing.INTERLEAVED);
        return queryOrKey && pairs ? blueprint().layers().getFirst().attention().headDim() : 0;
    }

    /** The row, in the order of Hugging Face's files, that is a row of the model. */
    static int storedRow(int row, int headDim) {
        if (headDim == 0) {
            return row;
        }
        int inHead = row % headDim;
        return row - inHead + inHead / 2 + inHead % 2 * (headDim / 2);
    }
}
