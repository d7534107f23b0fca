// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

/** Images of one size as unsigned bytes, with their class numbers. */
public final class LabelledImages {
  private final byte[][] pixels;
  private final int[] labels;

  LabelledImages(byte[][] pixels, int[] labels) {
    this.pixels = pixels;
    this.labels = labels;
  }

  /**
   * The number of images.
   *
   * @return at least 1
   */
  public int size() {
    return labels.length;
  }

  /**
   * The class numbers.
   *
   * @return a copy, one of 0 … 9 an image
   */
  public int[] labels() {
    return labels.clone();
  }

  /**
   * One image.
   *
   * @param index 0 … size − 1
   * @return its pixel values 0 … 255, a new array
   */
  public float[] image(int index) {
    byte[] source = pixels[index];
    float[] values = new float[source.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = source[i] & 0xff;
    }
    return values;
  }
}
