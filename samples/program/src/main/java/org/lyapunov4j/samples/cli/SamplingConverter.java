// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import org.lyapunov4j.step.MiniBatchSampling;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the short names of the sampling schemes. */
public final class SamplingConverter implements ITypeConverter<MiniBatchSampling> {
  /** The names and what they mean, for the help of a command. */
  public static final String SCHEMES =
      "iid (uniform B-subsets), iid-replacement, epoch (reshuffled every epoch) or ordered";

  /** The converter. */
  public SamplingConverter() {}

  @Override
  public MiniBatchSampling convert(String value) {
    try {
      return MiniBatchSampling.fromId(value);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
