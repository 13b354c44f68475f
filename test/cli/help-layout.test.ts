import { describe, expect, it } from 'vitest'
import { renderDefinitions } from '../../cli/help/render-definitions.ts'
import { wrapText } from '../../cli/render/wrap-text.ts'

describe('wrapText', () => {
  it('breaks between words and loses none', () => {
    const text = 'Run it once in a git\nrepository,  in any folder of it.'
    const lines = wrapText(text, 20)
    expect(lines).toEqual(['Run it once in a git', 'repository, in any', 'folder of it.'])
  })

  it('leaves a word that is too long in one piece', () => {
    expect(wrapText('see file:///path/to/folder now', 10)).toEqual(['see', 'file:///path/to/folder', 'now'])
  })

  it('counts what a terminal shows', () => {
    expect(wrapText('数据 数据 数据', 9)).toEqual(['数据 数据', '数据'])
    expect(wrapText('', 9)).toEqual([])
  })
})

describe('renderDefinitions', () => {
  it('aligns the meanings, and wraps them in their column', () => {
    const text = renderDefinitions(
      [
        ['name', 'what it is called, by those who know it'],
        ['a', 'short'],
      ],
      { width: 40 },
    )
    expect(text).toBe('  name  what it is called, by those who\n        know it\n  a     short\n')
  })

  it('puts the meanings below where the terms leave no room', () => {
    const term = 'varve completion fish > ~/.config/fish/varve.fish'
    expect(renderDefinitions([[term, 'for fish, and for all who like its completions']], { width: 60 })).toBe(
      `  ${term}\n      for fish, and for all who like its completions\n`,
    )
  })

  it('paints each line of a meaning, never the space around it', () => {
    const paint = (text: string) => `<${text}>`
    expect(renderDefinitions([['a', 'one two']], { width: 80, paint })).toBe('  a  <one two>\n')
    expect(renderDefinitions([['a', 'twenty eight columns or some more']], { width: 35, paint })).toBe(
      '  a  <twenty eight columns or some>\n     <more>\n',
    )
  })
})
