// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import org.lyapunov4j.step.MiniBatchSampling;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the short names of the sampling schemes. */
public final class SamplingConverter implements ITypeConverter<MiniBatchSampling> {
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
