export interface Parameters {
  value: string
  parameters: Map<string, string>
}

export function readParameters(value: string): Parameters
