// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.lyapunov4j.gram.GramMatrix;

/**
 * Matrices and arrays in NumPy's {@code .npy} format, versions 1 to 3: floats, integers and bool of
 * either byte order, by rows or by columns; read through {@link ArrayFile}. Nothing is unpickled,
 * and no memory is taken for entries that the file does not hold.
 *
 * <p>Source of the format: NumPy, {@code numpy.lib.format}.
 */
public final class NpyFile {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

  /** NumPy writes about 118 bytes and by default reads no more than 10 000. */
  private static final int LONGEST_HEADER = 10_000;

  private static final int LARGEST_DIMENSION = 1 << 20;
  private static final int ALIGNMENT = 64;
  private static final int LARGEST_RANK = 5;
  private static final long MOST_ENTRIES = 1 << 30;

  private NpyFile() {}

  /** The rest of an input that starts with a NumPy header, as a matrix. */
  static NumericMatrix readMatrix(BoundedInput input) throws IOException {
    NpyHeader header = readHeader(input);
    int rows = requireDimension(input, header, 0);
    int columns = requireDimension(input, header, 1);
    requireRoom(input, header, (long) rows * columns);
    NumericMatrix matrix = entries(input, header).matrix(rows, columns, header.columnMajor());
    input.requireEnd();
    return matrix;
  }

  /** The same as an array of two to five dimensions; a vector counts as one column. */
  static NumericArray readArray(BoundedInput input) throws IOException {
    NpyHeader header = readHeader(input);
    int entries = requireEntries(input, header);
    requireRoom(input, header, entries);
    boolean vector = header.shape().size() == 1;
    long[] shape =
        vector
            ? new long[] {entries, 1}
            : header.shape().stream().mapToLong(Long::longValue).toArray();
    NumericArray array = entries(input, header).array(shape, entries, header.columnMajor());
    input.requireEnd();
    return array;
  }

  private static EntryReader entries(BoundedInput input, NpyHeader header) {
    return new EntryReader(input, header.type(), header.order());
  }

  private static void requireRoom(BoundedInput input, NpyHeader header, long entries)
      throws BadFileException {
    input.requireRoom(
        header.shape().stream().map(String::valueOf).collect(Collectors.joining(" × "))
            + " entries",
        entries * header.type().size(),
        entries * (header.type().isSinglePrecision() ? Float.BYTES : Double.BYTES));
  }

  private static int requireEntries(BoundedInput input, NpyHeader header) throws BadFileException {
    int rank = header.shape().size();
    if (rank < 1 || rank > LARGEST_RANK) {
      throw input.complaint(
          String.format(
              Locale.ROOT,
              "the array must have 1 to %d dimensions, the first for the examples, got %d %s;"
                  + " reshape it",
              LARGEST_RANK,
              rank,
              rank > 8 ? "" : header.shape()));
    }
    long entries = 1;
    for (long length : header.shape()) {
      entries = length < 1 || length > MOST_ENTRIES ? MOST_ENTRIES + 1 : entries * length;
      if (entries > MOST_ENTRIES) {
        throw input.complaint(
            String.format(
                Locale.ROOT,
                "the array must have 1 to %d entries, got the shape %s; use fewer examples",
                MOST_ENTRIES,
                header.shape()));
      }
    }
    return (int) entries;
  }

  private static NpyHeader readHeader(BoundedInput input) throws IOException {
    byte[] start = input.exactly(8, "the start of a NumPy file");
    if (!FileKind.NPY.startsWith(start)) {
      throw input.complaint("must be a NumPy array, got another kind of data; use numpy.save");
    }
    int version = start[6];
    if (version < 1 || version > 3) {
      throw input.complaint(
          "the NumPy format must be version 1, 2 or 3, got " + version + "; save it again");
    }
    long length = littleEndian(input.exactly(version == 1 ? 2 : 4, "the length of the header"));
    if (length > LONGEST_HEADER) {
      throw input.complaint(
          String.format(
              Locale.ROOT,
              "the NumPy header must have at most %d bytes, got %d; save the matrix as one plain array",
              LONGEST_HEADER,
              length));
    }
    byte[] text = input.exactly((int) length, "the header");
    try {
      return NpyHeader.parse(
          new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1));
    } catch (IllegalArgumentException e) {
      throw input.complaint(e.getMessage());
    }
  }

  /** A tangent kernel as most libraries give it has the examples first, a Gram matrix does not. */
  private static String remedy(List<Long> shape) {
    boolean kernel =
        shape.size() == 4 && shape.get(0).equals(shape.get(1)) && shape.get(2).equals(shape.get(3));
    return kernel
        ? "for a kernel of shape [N, N, K, K] save transpose(0, 2, 1, 3).reshape(N * K, N * K)"
        : "reshape it to (rows, columns)";
  }

  private static int requireDimension(BoundedInput input, NpyHeader header, int axis)
      throws BadFileException {
    List<Long> shape = header.shape();
    if (shape.size() != 2) {
      throw input.complaint(
          String.format(
              Locale.ROOT,
              "the array must be a matrix, got %d dimensions %s; %s",
              shape.size(),
              shape.size() > 8 ? "" : shape,
              remedy(shape)));
    }
    long length = shape.get(axis);
    if (length < 1 || length > LARGEST_DIMENSION) {
      throw input.complaint(
          String.format(
              Locale.ROOT,
              "rows and columns must be 1 to %d, got %d × %d; check what was saved",
              LARGEST_DIMENSION,
              shape.get(0),
              shape.get(1)));
    }
    return (int) length;
  }

  private static long littleEndian(byte[] bytes) {
    long value = 0;
    for (int i = bytes.length - 1; i >= 0; i--) {
      value = value << 8 | (bytes[i] & 0xff);
    }
    return value;
  }

  /**
   * Writes a matrix as float64, version 1, little-endian, by rows.
   *
   * @param file created or replaced
   * @param rows of equal length, at least one; not modified
   * @throws IOException if writing fails
   */
  public static void write(Path file, double[][] rows) throws IOException {
    int columns = rows[0].length;
    ByteBuffer buffer = ByteBuffer.allocate(columns * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (OutputStream out = new BufferedOutputStream(OutputFile.open(file))) {
      out.write(header("<f8", rows.length, columns));
      for (double[] row : rows) {
        buffer.asDoubleBuffer().put(row);
        out.write(buffer.array());
      }
    }
  }

  /**
   * Writes a Gram matrix in its own precision, version 1, little-endian, by rows.
   *
   * @param file created or replaced
   * @param gram the matrix
   * @throws IOException if writing fails
   */
  public static void write(Path file, GramMatrix gram) throws IOException {
    boolean single = gram.isSinglePrecision();
    int m = gram.size();
    double[] row = new double[m];
    ByteBuffer buffer =
        ByteBuffer.allocate(m * (single ? Float.BYTES : Double.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    try (OutputStream out = new BufferedOutputStream(OutputFile.open(file))) {
      out.write(header(single ? "<f4" : "<f8", m, m));
      for (int i = 0; i < m; i++) {
        gram.copyRow(i, row);
        buffer.clear();
        for (double entry : row) {
          if (single) {
            buffer.putFloat((float) entry);
          } else {
            buffer.putDouble(entry);
          }
        }
        out.write(buffer.array());
      }
    }
  }

  private static byte[] header(String type, int rows, int columns) {
    String dictionary =
        String.format(
            Locale.ROOT,
            "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }",
            type,
            rows,
            columns);
    int prefix = MAGIC.length + 4;
    int total = (prefix + dictionary.length() + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ByteBuffer header = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) (total - prefix));
    header.put(dictionary.getBytes(StandardCharsets.US_ASCII));
    while (header.position() < total - 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }
}
