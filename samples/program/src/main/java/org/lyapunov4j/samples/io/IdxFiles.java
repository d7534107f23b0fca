// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Pairs of IDX files as MNIST and its relatives come in: {@code PREFIX-images-idx3-ubyte} and
 * {@code PREFIX-labels-idx1-ubyte}, each with or without gzip.
 *
 * <p>Source of the format: Y. LeCun, C. Cortes, C. Burges, <i>The MNIST database of handwritten
 * digits</i>.
 */
public final class IdxFiles {
  private static final Pattern IMAGES = Pattern.compile("(.+)-images[-.]idx3-ubyte(\\.gz)?");
  private static final Pattern LABELS = Pattern.compile("(.+)-labels[-.]idx1-ubyte(\\.gz)?");
  private static final int IMAGES_MAGIC = 0x803;
  private static final int LABELS_MAGIC = 0x801;
  private static final int MOST_IMAGES = 1_000_000;
  private static final int MOST_PIXELS = 1 << 16;
  private static final int CLASSES = 10;

  private IdxFiles() {}

  /**
   * Reads a pair of files.
   *
   * @param place a folder, or a folder and the prefix of the pair in it. In a folder with several
   *     pairs {@code train} is taken first, then one whose prefix starts with {@code mnist}
   * @return the images
   * @throws IOException if there is no such pair or it is damaged
   */
  public static LabelledImages read(Path place) throws IOException {
    Pair pair = find(place);
    byte[][] pixels = readImages(pair.images);
    int[] labels = readLabels(pair.labels);
    if (labels.length != pixels.length) {
      throw new BadFileException(
          pair.labels,
          String.format(
              "there must be one label an image, got %d labels for %d images; fetch both files of the set",
              labels.length, pixels.length));
    }
    return new LabelledImages(pixels, labels);
  }

  private record Pair(Path images, Path labels) {}

  private static Pair find(Path place) throws IOException {
    boolean folder = Files.isDirectory(place);
    Path directory = folder ? place : place.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new BadFileException(
          place, "the folder of the IDX files must exist; give mnist:DIR or mnist:DIR/PREFIX");
    }
    Map<String, Pair> pairs = pairsIn(directory);
    if (!folder) {
      pairs.keySet().retainAll(List.of(place.getFileName().toString()));
    }
    return pairs.keySet().stream()
        .filter(prefix -> !folder || pairs.size() == 1 || prefix.equals("train"))
        .findFirst()
        .or(() -> pairs.keySet().stream().filter(p -> p.startsWith("mnist")).findFirst())
        .map(pairs::get)
        .orElseThrow(() -> notFound(place, pairs));
  }

  private static BadFileException notFound(Path place, Map<String, Pair> pairs) {
    return new BadFileException(
        place,
        pairs.isEmpty()
            ? "must hold train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz]; fetch them or"
                + " give mnist:DIR/PREFIX for another pair"
            : "must hold one pair of IDX files, got " + pairs.keySet() + "; give mnist:DIR/PREFIX");
  }

  private static Map<String, Pair> pairsIn(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> entries = Files.list(directory)) {
      files = entries.sorted().toList();
    }
    Map<String, Path> images = byPrefix(files, IMAGES);
    Map<String, Path> labels = byPrefix(files, LABELS);
    Map<String, Pair> pairs = new TreeMap<>();
    images.forEach(
        (prefix, file) -> {
          if (labels.containsKey(prefix)) {
            pairs.put(prefix, new Pair(file, labels.get(prefix)));
          }
        });
    return pairs;
  }

  private static Map<String, Path> byPrefix(List<Path> files, Pattern pattern) {
    Map<String, Path> found = new TreeMap<>();
    for (Path file : files) {
      Matcher matcher = pattern.matcher(file.getFileName().toString());
      if (matcher.matches()) {
        found.putIfAbsent(matcher.group(1), file);
      }
    }
    return found;
  }

  private static byte[][] readImages(Path file) throws IOException {
    try (BoundedInput input = BoundedInput.open(file)) {
      ByteBuffer header = header(file, input, 16, IMAGES_MAGIC);
      int count = requireCount(file, header.getInt(4));
      long pixels = (long) header.getInt(8) * header.getInt(12);
      if (header.getInt(8) < 1 || header.getInt(12) < 1 || pixels > MOST_PIXELS) {
        throw new BadFileException(
            file,
            String.format(
                "images must have 1 to %d pixels, got %d × %d; the file is damaged",
                MOST_PIXELS, header.getInt(8), header.getInt(12)));
      }
      List<byte[]> images = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        images.add(input.exactly((int) pixels, "image " + i));
      }
      input.requireEnd();
      return images.toArray(new byte[0][]);
    }
  }

  private static int[] readLabels(Path file) throws IOException {
    try (BoundedInput input = BoundedInput.open(file)) {
      ByteBuffer header = header(file, input, 8, LABELS_MAGIC);
      byte[] bytes = input.exactly(requireCount(file, header.getInt(4)), "the labels");
      input.requireEnd();
      int[] labels = new int[bytes.length];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = requireLabel(file, bytes[i] & 0xff, CLASSES, i);
      }
      return labels;
    }
  }

  private static ByteBuffer header(Path file, BoundedInput input, int length, int magic)
      throws IOException {
    ByteBuffer header = ByteBuffer.wrap(input.exactly(length, "the header"));
    if (header.getInt(0) != magic) {
      throw new BadFileException(
          file,
          String.format(
              "an IDX file of this name must start with %08x, got %08x; it is another kind of file",
              magic, header.getInt(0)));
    }
    return header;
  }

  private static int requireCount(Path file, int count) throws BadFileException {
    if (count < 1 || count > MOST_IMAGES) {
      throw new BadFileException(
          file,
          String.format(
              "the header must announce 1 to %d items, got %d; the file is damaged",
              MOST_IMAGES, count));
    }
    return count;
  }

  static int requireLabel(Path file, int label, int classes, int index) throws BadFileException {
    if (label >= classes) {
      throw new BadFileException(
          file,
          String.format(
              "labels must be 0 to %d, got %d for image %d; it is another kind of file",
              classes - 1, label, index));
    }
    return label;
  }
}
