// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.lyapunov4j.gram.GramMatrix;

/**
 * Matrices and arrays in NumPy's {@code .npy} format, versions 1 to 3: float32 and float64 of
 * either byte order, by rows or by columns. Nothing is unpickled, and no memory is taken for
 * entries that the file does not hold.
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

  /** Entries read at a time. */
  private static final int PIECE = 1 << 16;

  private NpyFile() {}

  /**
   * Reads a matrix.
   *
   * @param file written by {@code numpy.save}
   * @return the matrix in the precision of the file; entries are not checked for NaN
   * @throws IOException if the file is missing, damaged, too short or too long, or holds something
   *     else
   */
  public static NpyMatrix read(Path file) throws IOException {
    BoundedInput.requireFile(file);
    try (FileChannel channel = FileChannel.open(file)) {
      NpyHeader header = readHeader(file, channel);
      int rows = requireDimension(file, header, 0);
      int columns = requireDimension(file, header, 1);
      requireLength(file, header, channel, (long) rows * columns * header.itemSize());
      return readEntries(channel, header, rows, columns);
    } catch (EOFException e) {
      throw new BadFileException(
          file, "ends within its header; the file is truncated, save it again");
    }
  }

  /**
   * Reads an array of two to five dimensions.
   *
   * @param file written by {@code numpy.save}
   * @return the array in the precision and order of the file; entries are not checked for NaN
   * @throws IOException if the file is missing, damaged, too short or too long, or holds something
   *     else
   */
  public static NpyArray readArray(Path file) throws IOException {
    BoundedInput.requireFile(file);
    try (FileChannel channel = FileChannel.open(file)) {
      NpyHeader header = readHeader(file, channel);
      int entries = requireEntries(file, header);
      requireLength(file, header, channel, (long) entries * header.itemSize());
      return readFlat(channel, header, entries);
    } catch (EOFException e) {
      throw new BadFileException(
          file, "ends within its header; the file is truncated, save it again");
    }
  }

  private static int requireEntries(Path file, NpyHeader header) throws BadFileException {
    int rank = header.shape().size();
    if (rank < 2 || rank > LARGEST_RANK) {
      throw new BadFileException(
          file,
          String.format(
              "the array must have 2 to %d dimensions, the first for the examples, got %d %s;"
                  + " reshape it",
              LARGEST_RANK, rank, rank > 8 ? "" : header.shape()));
    }
    long entries = 1;
    for (long length : header.shape()) {
      entries = length < 1 || length > MOST_ENTRIES ? MOST_ENTRIES + 1 : entries * length;
      if (entries > MOST_ENTRIES) {
        throw new BadFileException(
            file,
            String.format(
                "the array must have 1 to %d entries, got the shape %s; use fewer examples",
                MOST_ENTRIES, header.shape()));
      }
    }
    return (int) entries;
  }

  private static NpyArray readFlat(FileChannel channel, NpyHeader header, int entries)
      throws IOException {
    boolean single = header.itemSize() == Float.BYTES;
    double[] doubles = single ? null : new double[entries];
    float[] floats = single ? new float[entries] : null;
    for (int from = 0; from < entries; from += PIECE) {
      int count = Math.min(PIECE, entries - from);
      ByteBuffer buffer = ByteBuffer.allocate(count * header.itemSize()).order(header.order());
      fill(channel, buffer);
      if (single) {
        buffer.asFloatBuffer().get(floats, from, count);
      } else {
        buffer.asDoubleBuffer().get(doubles, from, count);
      }
    }
    long[] shape = header.shape().stream().mapToLong(Long::longValue).toArray();
    return new NpyArray(shape, header.columnMajor(), doubles, floats);
  }

  private static NpyHeader readHeader(Path file, FileChannel channel) throws IOException {
    byte[] start = read(channel, 8);
    requireMagic(file, start);
    int version = start[6];
    if (version < 1 || version > 3) {
      throw new BadFileException(
          file, "the NumPy format must be version 1, 2 or 3, got " + version + "; save it again");
    }
    long length = littleEndian(read(channel, version == 1 ? 2 : 4));
    if (length > LONGEST_HEADER) {
      throw new BadFileException(
          file,
          String.format(
              "the NumPy header must have at most %d bytes, got %d; save the matrix as one plain array",
              LONGEST_HEADER, length));
    }
    byte[] text = read(channel, (int) length);
    try {
      return NpyHeader.parse(
          new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1));
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file, e.getMessage());
    }
  }

  private static void requireMagic(Path file, byte[] start) throws BadFileException {
    if (!Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      String found =
          start[0] == 'P' && start[1] == 'K'
              ? "a zip archive such as .npz; save the matrix alone with numpy.save"
              : start[0] == (byte) 0x80
                  ? "what looks like a Python pickle, which is never read; use numpy.save"
                  : "another kind of file; write it with numpy.save";
      throw new BadFileException(file, "must be a NumPy .npy file, got " + found);
    }
  }

  private static int requireDimension(Path file, NpyHeader header, int axis)
      throws BadFileException {
    List<Long> shape = header.shape();
    if (shape.size() != 2) {
      throw new BadFileException(
          file,
          String.format(
              "the array must be a matrix, got %d dimensions %s; reshape it to (rows, columns)",
              shape.size(), shape.size() > 8 ? "" : shape));
    }
    long length = shape.get(axis);
    if (length < 1 || length > LARGEST_DIMENSION) {
      throw new BadFileException(
          file,
          String.format(
              "rows and columns must be 1 to %d, got %d × %d; check what was saved",
              LARGEST_DIMENSION, shape.get(0), shape.get(1)));
    }
    return (int) length;
  }

  private static void requireLength(Path file, NpyHeader header, FileChannel channel, long expected)
      throws IOException {
    long found = channel.size() - channel.position();
    if (found != expected) {
      throw new BadFileException(
          file,
          String.format(
              "%s entries need %d bytes, got %d; the file is %s, save it again",
              header.shape().stream().map(String::valueOf).collect(Collectors.joining(" × ")),
              expected,
              found,
              found < expected ? "truncated" : "longer than it says"));
    }
  }

  private static NpyMatrix readEntries(FileChannel channel, NpyHeader header, int rows, int columns)
      throws IOException {
    boolean single = header.itemSize() == Float.BYTES;
    double[][] doubles = single ? null : new double[rows][columns];
    float[][] floats = single ? new float[rows][columns] : null;
    int lines = header.columnMajor() ? columns : rows;
    int length = header.columnMajor() ? rows : columns;
    ByteBuffer buffer = ByteBuffer.allocate(length * header.itemSize()).order(header.order());
    for (int line = 0; line < lines; line++) {
      fill(channel, buffer);
      for (int k = 0; k < length; k++) {
        int row = header.columnMajor() ? k : line;
        int column = header.columnMajor() ? line : k;
        if (single) {
          floats[row][column] = buffer.getFloat(k * Float.BYTES);
        } else {
          doubles[row][column] = buffer.getDouble(k * Double.BYTES);
        }
      }
    }
    return new NpyMatrix(columns, doubles, floats);
  }

  private static byte[] read(FileChannel channel, int length) throws IOException {
    byte[] bytes = new byte[length];
    fill(channel, ByteBuffer.wrap(bytes));
    return bytes;
  }

  private static long littleEndian(byte[] bytes) {
    long value = 0;
    for (int i = bytes.length - 1; i >= 0; i--) {
      value = value << 8 | (bytes[i] & 0xff);
    }
    return value;
  }

  private static void fill(FileChannel channel, ByteBuffer buffer) throws IOException {
    buffer.clear();
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException();
      }
    }
    buffer.flip();
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
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
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
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
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
            "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", type, rows, columns);
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
