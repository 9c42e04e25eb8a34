package dev.tidestream.server.admin.transaction;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.ChangeKind;
import dev.tidestream.server.huggingface.names.ModelTensorNames;
import dev.tidestream.server.huggingface.names.NamedTensor;
import dev.tidestream.server.safetensors.SafetensorsFile;

/**
 * From what a part says to changes of the tensors that the model holds: shapes, row numbers and places under the part's names become those
 * of the held tensors, row orders and transpositions included. Every value stays as it is stored; what is a sum or a product is made when
 * the change is applied. What cannot be, is refused with the name that the part has for the tensor.
 */
public final class ChangePlanner {
    private final LoadedModel model;
    private final ModelTensorNames names;

    /** @param model that the changes are for; stays open meanwhile */
    public ChangePlanner(LoadedModel model) {
        this.model = model;
        this.names = names(model);
    }

    /** Names of a model's tensors, and of the output head that it would have if it were not tied. */
    public static ModelTensorNames names(LoadedModel model) {
        Blueprint blueprint = model.blueprint();
        List<String> held = new ArrayList<>(model.tensorNames());
        model.outputName().filter(output -> !held.contains(output)).ifPresent(held::add);
        return ModelTensorNames.of(blueprint.architecture(), blueprint.layers().getFirst().attention().headDim(), Set.copyOf(held));
    }

    /**
     * The changes of a part; those of a tied model's output head are of the head, by its name.
     *
     * @throws AdminException {@code unknown_tensor}, {@code invalid_shape}, {@code invalid_dtype}, {@code invalid_value},
     *     {@code invalid_file}; names the tensor
     */
    public List<PlannedChange> plan(SafetensorsFile part) throws AdminException {
        List<PlannedChange> planned = new ArrayList<>();
        for (PartChange change : PartReader.read(part)) {
            planned.add(plan(change));
        }
        return planned;
    }

    private PlannedChange plan(PartChange change) throws AdminException {
        NamedTensor named = names.find(change.name()).orElseThrow(() -> new AdminException(
                AdminErrorCode.UNKNOWN_TENSOR, "the model has no such tensor: tensor=" + change.name()));
        WeightTensor held = Refusals.tensor(model, model.tiedTo(named.tensor()).orElse(named.tensor()));
        return switch (change) {
            case PartChange.Full full -> full(full, named, held.shape());
            case PartChange.Rows rows -> RowChanges.plan(rows, named, held.shape());
            case PartChange.Sparse sparse -> SparseChanges.plan(sparse, named, held.shape());
            case PartChange.Xor xor -> xor(xor, named, held);
            case PartChange.LowRank lowRank -> lowRank(lowRank, named, held.shape());
        };
    }

    static void requireShape(String name, SafetensorsFile.Tensor tensor, List<Long> expected) throws AdminException {
        if (!tensor.shape().equals(expected)) {
            throw new AdminException(AdminErrorCode.INVALID_SHAPE, "shape does not fit: tensor=%s, '%s' has shape %s, expected=%s"
                    .formatted(name, tensor.name(), tensor.shape(), expected));
        }
    }

    static void requireMatrix(String name, String kind, List<Long> held) throws AdminException {
        if (held.size() != 2) {
            throw new AdminException(AdminErrorCode.INVALID_SHAPE, "kind %s needs a matrix: tensor=%s, shape=%s".formatted(kind, name, held));
        }
    }

    private static PlannedChange full(PartChange.Full full, NamedTensor named, List<Long> held) throws AdminException {
        requireShape(full.name(), full.values(), named.shape(held));
        StoredNumbers values = StoredNumbers.of(full.file(), full.values());
        PayloadType type = named.added() == 0 ? values.floats() : sums(values);
        return new PlannedChange(full.name(), named.tensor(), ChangeKind.REPLACE, held, type, 0, out -> {
            if (named.plain()) {
                values.put(0, values.count(), out);
            } else if (named.added() != 0) {
                for (long i = 0; i < values.count(); i++) {
                    out.putFloat(values.value(i) + named.added());
                }
            } else if (named.transposed()) {
                transposed(values, held, out);
            } else {
                long columns = held.getLast();
                for (long row = 0; row < held.getFirst(); row++) {
                    values.put(named.rowOfHeld(row) * columns, columns, out);
                }
            }
        });
    }

    private static PayloadType sums(StoredNumbers values) throws AdminException {
        values.floats();
        return PayloadType.F32;
    }

    /** Stored by columns of what is held. */
    private static void transposed(StoredNumbers values, List<Long> held, PayloadOut out) throws AdminException {
        long rows = held.getFirst();
        long columns = held.getLast();
        for (long row = 0; row < rows; row++) {
            for (long column = 0; column < columns; column++) {
                values.put(column * rows + row, out);
            }
        }
    }

    private static PlannedChange xor(PartChange.Xor xor, NamedTensor named, WeightTensor held) throws AdminException {
        requireShape(xor.name(), xor.bits(), named.shape(held.shape()));
        if (xor.bits().type() != SafetensorsFile.Type.U16) {
            throw new AdminException(AdminErrorCode.INVALID_DTYPE,
                    "tensor '%s' of kind xor must be U16: %s".formatted(xor.name(), xor.bits().type()));
        }
        HeldBits before = new HeldBits(named, held);
        if (xor.baseSha256().isPresent()) {
            String sha256 = before.sha256();
            if (!sha256.equals(xor.baseSha256().get())) {
                throw new AdminException(AdminErrorCode.CHECKSUM_MISMATCH,
                        "the tensor is another one than the xor was made with: tensor=%s, sha256=%s, base_sha256=%s"
                                .formatted(xor.name(), sha256, xor.baseSha256().get()));
            }
        }
        StoredNumbers bits = StoredNumbers.of(xor.file(), xor.bits());
        PayloadType type = named.added() == 0 ? before.type() : PayloadType.F32;
        return new PlannedChange(xor.name(), named.tensor(), ChangeKind.REPLACE, held.shape(), type, 0,
                out -> turnOver(named, held.shape(), before, bits, out));
    }

    /** Old bits, exclusive or these: a whole tensor, so that a history does not depend on what was there before. */
    private static void turnOver(NamedTensor named, List<Long> shape, HeldBits before, StoredNumbers bits, PayloadOut out)
            throws AdminException {
        boolean matrix = shape.size() == 2;
        long rows = matrix ? shape.getFirst() : 1;
        int columns = Math.toIntExact(shape.getLast());
        for (long row = 0; row < rows; row++) {
            long from = named.rowOfHeld(row) * columns;
            for (int column = 0; column < columns; column++) {
                short other = bits.bits(named.transposed() ? column * rows + row : from + column);
                short next = (short) (before.bits(row, column) ^ other);
                if (named.added() == 0) {
                    out.putShort(next);
                } else {
                    float value = before.type() == PayloadType.F16
                            ? Float.float16ToFloat(next) : Float.intBitsToFloat(next << Short.SIZE);
                    out.putFloat(value + named.added());
                }
            }
        }
    }

    private static PlannedChange lowRank(PartChange.LowRank product, NamedTensor named, List<Long> held) throws AdminException {
        requireMatrix(product.name(), "lowrank", held);
        List<Long> shape = product.a().shape();
        long most = Math.min(held.getFirst(), held.getLast());
        long rank = shape.isEmpty() ? 0 : shape.getFirst();
        if (rank < 1 || rank > most) {
            throw new AdminException(AdminErrorCode.INVALID_SHAPE,
                    "rank does not fit the tensor: tensor=%s, '%s' has shape %s, ranks=1..%d"
                            .formatted(product.name(), product.a().name(), shape, most));
        }
        requireShape(product.name(), product.a(), List.of(rank, held.getLast()));
        requireShape(product.name(), product.b(), List.of(held.getFirst(), rank));
        StoredNumbers a = StoredNumbers.of(product.file(), product.a());
        StoredNumbers b = StoredNumbers.of(product.file(), product.b());
        a.floats();
        b.floats();
        return new PlannedChange(product.name(), named.tensor(), ChangeKind.LOW_RANK, held, PayloadType.F32, (int) rank, out -> {
            for (long row = 0; row < held.getFirst(); row++) {
                for (long r = 0; r < rank; r++) {
                    out.putFloat((float) (product.scale() * b.value(named.rowOfHeld(row) * rank + r)));
                }
            }
            for (long i = 0; i < a.count(); i++) {
                out.putFloat(a.value(i));
            }
        });
    }
}
