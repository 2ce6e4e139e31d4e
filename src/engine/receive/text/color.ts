// Colours as mail writes them, and whether one can be told from another.

/** Red, green, blue 0–255, opacity 0–1. */
export interface Color {
  red: number
  green: number
  blue: number
  alpha: number
}

export const WHITE: Color = { red: 255, green: 255, blue: 255, alpha: 1 }
export const BLACK: Color = { red: 0, green: 0, blue: 0, alpha: 1 }
/** What browsers give a link that says nothing of its colour. */
export const LINK_BLUE: Color = { red: 0, green: 0, blue: 238, alpha: 1 }

/** Closer than this (Euclid, in RGB) nobody reads it: #e5e5e5 on white is hidden, #ddd is not. */
const NEAR = 48
const FAINT = 0.1

/** Reads a CSS or HTML colour; undefined where it is none that is known here. */
export function parseColor(value: string): Color | undefined {
  const text = value.trim().toLowerCase()
  if (text === 'transparent') return { ...BLACK, alpha: 0 }
  const hex = NAMES.get(text) ?? /^#?([0-9a-f]{3,8})$/.exec(text)?.[1]
  if (hex) return fromHex(hex)
  const call = /^(rgb|hsl)a?\(([^)]{1,80})\)$/.exec(text)
  return call ? fromNumbers(call[1] === 'hsl', call[2] ?? '') : undefined
}

/** Whether text in this colour cannot be told from what lies behind it. */
export function isNear(color: Color, background: Color): boolean {
  if (color.alpha <= FAINT) return true
  const shown = over(color, background)
  return (
    Math.hypot(
      shown.red - background.red,
      shown.green - background.green,
      shown.blue - background.blue,
    ) < NEAR
  )
}

/** A colour painted over an opaque one. */
export function over(color: Color, background: Color): Color {
  const mix = (top: number, bottom: number) => top * color.alpha + bottom * (1 - color.alpha)
  return {
    red: mix(color.red, background.red),
    green: mix(color.green, background.green),
    blue: mix(color.blue, background.blue),
    alpha: 1,
  }
}

function fromHex(hex: string): Color | undefined {
  const wide = hex.length <= 4 ? [...hex].map((digit) => digit + digit).join('') : hex
  if (wide.length !== 6 && wide.length !== 8) return undefined
  const byte = (at: number) => Number.parseInt(wide.slice(at, at + 2), 16)
  const alpha = wide.length === 8 ? byte(6) / 255 : 1
  return { red: byte(0), green: byte(2), blue: byte(4), alpha }
}

function fromNumbers(isHsl: boolean, list: string): Color | undefined {
  const parts = list.split(/[\s,/]+/).filter((part) => part !== '')
  const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = parts.map(Number.parseFloat)
  if (![first, second, third].every(Number.isFinite)) return undefined
  const alpha = fraction(parts[3] ?? '1')
  if (isHsl) return { ...fromHsl(first, second / 100, third / 100), alpha }
  const scale = parts[0]?.endsWith('%') ? 2.55 : 1
  return { red: first * scale, green: second * scale, blue: third * scale, alpha }
}

function fromHsl(hue: number, saturation: number, lightness: number) {
  const reach = saturation * Math.min(lightness, 1 - lightness)
  const channel = (shift: number) => {
    const turn = (((shift + hue / 30) % 12) + 12) % 12
    return 255 * (lightness - reach * Math.max(-1, Math.min(turn - 3, 9 - turn, 1)))
  }
  return { red: channel(0), green: channel(8), blue: channel(4) }
}

/** `0.5`, `50%`; 1 where it is no number. */
export function fraction(value: string): number {
  const number = Number.parseFloat(value)
  if (!Number.isFinite(number)) return 1
  return value.trim().endsWith('%') ? number / 100 : number
}

/** CSS Color 4 §6.1. */
const NAMES = new Map(
  `aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc
  bisque ffe4c4 black 000000 blanchedalmond ffebcd blue 0000ff blueviolet 8a2be2 brown a52a2a
  burlywood deb887 cadetblue 5f9ea0 chartreuse 7fff00 chocolate d2691e coral ff7f50
  cornflowerblue 6495ed cornsilk fff8dc crimson dc143c cyan 00ffff darkblue 00008b darkcyan 008b8b
  darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 darkgrey a9a9a9 darkkhaki bdb76b
  darkmagenta 8b008b darkolivegreen 556b2f darkorange ff8c00 darkorchid 9932cc darkred 8b0000
  darksalmon e9967a darkseagreen 8fbc8f darkslateblue 483d8b darkslategray 2f4f4f
  darkslategrey 2f4f4f darkturquoise 00ced1 darkviolet 9400d3 deeppink ff1493 deepskyblue 00bfff
  dimgray 696969 dimgrey 696969 dodgerblue 1e90ff firebrick b22222 floralwhite fffaf0
  forestgreen 228b22 fuchsia ff00ff gainsboro dcdcdc ghostwhite f8f8ff gold ffd700
  goldenrod daa520 gray 808080 green 008000 greenyellow adff2f grey 808080 honeydew f0fff0
  hotpink ff69b4 indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c lavender e6e6fa
  lavenderblush fff0f5 lawngreen 7cfc00 lemonchiffon fffacd lightblue add8e6 lightcoral f08080
  lightcyan e0ffff lightgoldenrodyellow fafad2 lightgray d3d3d3 lightgreen 90ee90 lightgrey d3d3d3
  lightpink ffb6c1 lightsalmon ffa07a lightseagreen 20b2aa lightskyblue 87cefa
  lightslategray 778899 lightslategrey 778899 lightsteelblue b0c4de lightyellow ffffe0 lime 00ff00
  limegreen 32cd32 linen faf0e6 magenta ff00ff maroon 800000 mediumaquamarine 66cdaa
  mediumblue 0000cd mediumorchid ba55d3 mediumpurple 9370db mediumseagreen 3cb371
  mediumslateblue 7b68ee mediumspringgreen 00fa9a mediumturquoise 48d1cc mediumvioletred c71585
  midnightblue 191970 mintcream f5fffa mistyrose ffe4e1 moccasin ffe4b5 navajowhite ffdead
  navy 000080 oldlace fdf5e6 olive 808000 olivedrab 6b8e23 orange ffa500 orangered ff4500
  orchid da70d6 palegoldenrod eee8aa palegreen 98fb98 paleturquoise afeeee palevioletred db7093
  papayawhip ffefd5 peachpuff ffdab9 peru cd853f pink ffc0cb plum dda0dd powderblue b0e0e6
  purple 800080 rebeccapurple 663399 red ff0000 rosybrown bc8f8f royalblue 4169e1
  saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 seagreen 2e8b57 seashell fff5ee sienna a0522d
  silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 snow fffafa
  springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347
  turquoise 40e0d0 violet ee82ee wheat f5deb3 white ffffff whitesmoke f5f5f5 window ffffff
  windowtext 000000 canvas ffffff canvastext 000000 yellow ffff00 yellowgreen 9acd32`
    .match(/[a-z]+ [0-9a-f]{6}/g)
    ?.map((pair) => pair.split(' ') as [string, string]),
)
