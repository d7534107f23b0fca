// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Examples as {@link DataSet#save} writes them: a byte that tells which arrays follow, then the
 * arrays, each a buffer of shape information and a buffer of entries, big-endian. {@link
 * DataSet#load} would go on to deserialise Java objects, the metadata and the names of the labels,
 * and takes memory for whatever length a header announces; here nothing behind the arrays is read.
 *
 * <p>Source of the format: ND4J 1.0.0-M2.1, {@code DataSet.load}, {@code Nd4j.read} and {@code
 * BaseDataBuffer.write}.
 */
public final class DataSetFile {
  private static final int FEATURES = 1;
  private static final int LABELS = 1 << 1;
  private static final int LABELS_ARE_FEATURES = 1 << 2;
  private static final int FEATURES_MASK = 1 << 3;
  private static final int LABELS_MASK = 1 << 4;
  private static final int ALL_FLAGS = (1 << 7) - 1;

  private static final List<String> LAYOUTS = List.of("MIXED_DATA_TYPES", "LONG_SHAPE");
  private static final int LONGEST_NAME = 32;
  private static final int LARGEST_RANK = 5;
  private static final long MOST_ENTRIES = 1 << 30;

  /** Behind rank, shape and strides: properties, the stride of all elements, the order. */
  private static final int SHAPE_EXTRAS = 4;

  private static final Map<String, ElementType> TYPES =
      Map.ofEntries(
          Map.entry("BOOL", ElementType.BOOL),
          Map.entry("BYTE", ElementType.INT8),
          Map.entry("UBYTE", ElementType.UINT8),
          Map.entry("SHORT", ElementType.INT16),
          Map.entry("UINT16", ElementType.UINT16),
          Map.entry("INT", ElementType.INT32),
          Map.entry("UINT32", ElementType.UINT32),
          Map.entry("LONG", ElementType.INT64),
          Map.entry("UINT64", ElementType.UINT64),
          Map.entry("HALF", ElementType.FLOAT16),
          Map.entry("BFLOAT16", ElementType.BFLOAT16),
          Map.entry("FLOAT", ElementType.FLOAT32),
          Map.entry("DOUBLE", ElementType.FLOAT64));

  private final BoundedInput input;

  private DataSetFile(BoundedInput input) {
    this.input = input;
  }

  /**
   * Reads the arrays.
   *
   * @param file written by {@code DataSet.save}
   * @return features, labels and their masks, as far as the file has them; metadata and names of
   *     labels are left out. Entries are not checked for NaN
   * @throws IOException if the file is missing, damaged or of another kind, or has no features or
   *     labels
   */
  public static DataSet read(Path file) throws IOException {
    FileKind.of(file); // refuses pickles and serialised objects by name
    try (BoundedInput input = BoundedInput.open(file)) {
      return new DataSetFile(input).read();
    }
  }

  private DataSet read() throws IOException {
    int flags = input.exactly(1, "the first byte")[0];
    if (flags <= 0 || flags > ALL_FLAGS) {
      throw another("the flags " + flags);
    }
    boolean same = (flags & LABELS_ARE_FEATURES) != 0;
    if ((flags & FEATURES) == 0 || ((flags & LABELS) == 0 && !same)) {
      throw input.complaint(
          "a data set must have features and labels, got one without; set both and save it again");
    }
    INDArray features = array("the features");
    INDArray labels = (flags & LABELS) != 0 ? array("the labels") : features;
    INDArray featuresMask = (flags & FEATURES_MASK) != 0 ? array("the features mask") : null;
    INDArray labelsMask = (flags & LABELS_MASK) != 0 ? array("the labels mask") : null;
    return new DataSet(features, labels, featuresMask, labelsMask);
  }

  private INDArray array(String what) throws IOException {
    long[] information = shapeInformation(what);
    int rank = (int) information[0];
    long[] shape = Arrays.copyOfRange(information, 1, 1 + rank);
    int entries = requireEntries(what, shape);
    boolean columnMajor = requireContiguous(what, information, shape);
    Header header = header(what);
    if (header.length != entries) {
      throw input.complaint(
          String.format(
              Locale.ROOT,
              "%s of shape %s must have %d entries, got %d; the file is damaged",
              what,
              Arrays.toString(shape),
              entries,
              header.length));
    }
    input.requireRoom(
        what,
        (long) entries * header.type.size(),
        (long) entries * (header.type.isSinglePrecision() ? Float.BYTES : Double.BYTES));
    return new EntryReader(input, header.type, ByteOrder.BIG_ENDIAN)
        .array(shape, entries, columnMajor)
        .toINDArray();
  }

  /** What is before the elements of a buffer. */
  private record Header(long length, ElementType type) {}

  private Header header(String what) throws IOException {
    String layout = name();
    if (!LAYOUTS.contains(layout)) {
      throw another("'" + NpyHeader.printable(layout) + "'");
    }
    long length = ByteBuffer.wrap(input.exactly(Long.BYTES, what)).getLong();
    String name = name();
    ElementType type = TYPES.get(name);
    if (type == null) {
      throw input.complaint(
          String.format(
              Locale.ROOT,
              "%s must be numbers, one of %s, got '%s'; cast them with castTo(DataType.FLOAT)",
              what,
              TYPES.keySet().stream().sorted().toList(),
              NpyHeader.printable(name)));
    }
    return new Header(length, type);
  }

  private String name() throws IOException {
    int length = ByteBuffer.wrap(input.exactly(Short.BYTES, "a name")).getShort();
    if (length < 0 || length > LONGEST_NAME) {
      throw another("a name of " + (length & 0xffff) + " bytes");
    }
    return new String(input.exactly(length, "a name"), StandardCharsets.ISO_8859_1);
  }

  private long[] shapeInformation(String what) throws IOException {
    Header header = header(what);
    long rank = (header.length - SHAPE_EXTRAS) / 2;
    if (header.type != ElementType.INT64 || rank < 2 || rank > LARGEST_RANK) {
      throw input.complaint(
          String.format(
              Locale.ROOT,
              "%s must have 2 to %d dimensions, got shape information of %d × %s; reshape them",
              what,
              LARGEST_RANK,
              header.length,
              header.type));
    }
    long[] information = new long[(int) header.length];
    ByteBuffer.wrap(input.exactly(information.length * Long.BYTES, what))
        .asLongBuffer()
        .get(information);
    if (information[0] != rank || information.length != 2 * rank + SHAPE_EXTRAS) {
      throw another("a rank of " + information[0]);
    }
    return information;
  }

  private int requireEntries(String what, long[] shape) throws BadFileException {
    long entries = 1;
    for (long length : shape) {
      entries = length < 1 || length > MOST_ENTRIES ? MOST_ENTRIES + 1 : entries * length;
      if (entries > MOST_ENTRIES) {
        throw input.complaint(
            String.format(
                Locale.ROOT,
                "%s must have 1 to %d entries, got the shape %s; use fewer examples",
                what,
                MOST_ENTRIES,
                Arrays.toString(shape)));
      }
    }
    return (int) entries;
  }

  /** Whether the first index runs fastest; ND4J copies views before it writes them. */
  private boolean requireContiguous(String what, long[] information, long[] shape)
      throws BadFileException {
    long order = information[information.length - 1];
    boolean columnMajor = order == 'f';
    long stride = 1;
    for (int k = 0; k < shape.length; k++) {
      int axis = columnMajor ? k : shape.length - 1 - k;
      boolean matters = shape[axis] > 1;
      if ((order != 'c' && !columnMajor)
          || (matters && information[1 + shape.length + axis] != stride)) {
        throw input.complaint(
            what + " must be stored without gaps, got other strides; save a copy, array.dup()");
      }
      stride *= shape[axis];
    }
    return columnMajor;
  }

  private BadFileException another(String found) {
    return input.complaint(
        "must be a data set of Deeplearning4j 1.0.0-beta5 or later, got "
            + found
            + "; write it with DataSet.save");
  }
}
