// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * CIFAR-10's binary format, with or without gzip: an image is a label byte 0 … 9 and 3072 bytes,
 * the red, green and blue planes of 32 × 32 pixels.
 *
 * <p>Source of the format: A. Krizhevsky, <i>Learning Multiple Layers of Features from Tiny
 * Images</i>, 2009.
 */
public final class CifarFile {
  private static final int RECORD = 1 + 3 * 32 * 32;
  private static final int MOST_IMAGES = 100_000;
  private static final int CLASSES = 10;

  private CifarFile() {}

  /**
   * Reads a file.
   *
   * @param file such as {@code data_batch_1.bin}
   * @return the images
   * @throws IOException if the file is missing, truncated or of another kind
   */
  public static LabelledImages read(Path file) throws IOException {
    List<byte[]> pixels = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    try (BoundedInput input = BoundedInput.open(file)) {
      byte[] image = input.upTo(RECORD);
      while (image.length == RECORD && pixels.size() < MOST_IMAGES) {
        labels.add(IdxFiles.requireLabel(file, image[0] & 0xff, CLASSES, pixels.size()));
        pixels.add(Arrays.copyOfRange(image, 1, RECORD));
        image = input.upTo(RECORD);
      }
      requireWhole(file, image.length, pixels.size());
    }
    return new LabelledImages(
        pixels.toArray(new byte[0][]), labels.stream().mapToInt(Integer::intValue).toArray());
  }

  private static void requireWhole(Path file, int rest, int images) throws BadFileException {
    if (images == MOST_IMAGES && rest == RECORD) {
      throw new BadFileException(
          file, "at most " + MOST_IMAGES + " images are read, got more; split the file");
    }
    if (images == 0 || rest != 0) {
      throw new BadFileException(
          file,
          String.format(
              "CIFAR-10 images have %d bytes each, got %d images and %d bytes more; the file is truncated"
                  + " or of another kind",
              RECORD, images, rest));
    }
  }
}
