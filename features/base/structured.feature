@chat
Feature: Structured output
  A program reads these replies: JSON where JSON was asked for, and the schema to the letter where one was given.

  Background:
    Given at most 96 tokens

  @json_object
  Scenario: A JSON object is a JSON object, <delivery>
    Given replies are JSON objects
    And replies are <delivery>
    When I ask "What is the capital of France? Answer as JSON."
    Then the reply is JSON
    And the reply fits the schema:
      """
      type: object
      minProperties: 1
      """
    And the finish reason is "stop"

  @json_schema
  Scenario: A reply fits its schema, <delivery>
    Given replies fit the schema:
      """
      type: object
      properties:
        name: {type: string, maxLength: 20}
        capital: {type: boolean}
      required: [name, capital]
      additionalProperties: false
      """
    And replies are <delivery>
    When I ask "Describe Paris as JSON."
    Then the reply fits its schema
    And the reply's "name" is "Paris"
    And the finish reason is "stop"

  @json_schema
  Scenario: A reply strictly fits its schema
    Given replies strictly fit the schema:
      """
      type: object
      properties:
        name: {type: string, enum: [Paris, Rome]}
        size: {type: string, enum: [small, big]}
      required: [name, size]
      additionalProperties: false
      """
    When I ask "Describe Rome as JSON."
    Then the reply fits its schema
    And the reply's "name" is "Rome"

  @json_schema
  Scenario: Arrays keep their bounds and their items
    Given replies fit the schema:
      """
      type: object
      properties:
        colors: {type: array, minItems: 2, maxItems: 3, items: {type: string, enum: [red, green, blue]}}
      required: [colors]
      additionalProperties: false
      """
    When I ask "Name three colors as JSON."
    Then the reply fits its schema

  @json_schema @W101
  Scenario: A schema may refer to itself
    Given replies fit the schema:
      """
      type: object
      properties:
        tree: {$ref: '#/$defs/node'}
      required: [tree]
      additionalProperties: false
      $defs:
        node:
          type: object
          properties:
            name: {type: string, enum: [a, b]}
            kids: {type: array, maxItems: 1, items: {$ref: '#/$defs/node'}}
          required: [name]
          additionalProperties: false
      """
    When I ask "Write {\"tree\": {\"name\": \"a\", \"kids\": [{\"name\": \"b\"}]}} as JSON."
    Then the reply fits its schema
    And the reply's "tree.kids[0].name" is "b"

  @json_schema @W102
  Scenario: A constant, a choice and a pattern are kept
    Given replies fit the schema:
      """
      type: object
      properties:
        kind: {const: city}
        code: {type: string, pattern: '^[A-Z]{3}$'}
        size: {anyOf: [{type: 'null'}, {type: string, enum: [small, big]}]}
      required: [kind, code, size]
      additionalProperties: false
      """
    When I ask "Describe Paris as JSON."
    Then the reply fits its schema

  @json_schema
  Scenario: JSON cut off by the limit says so, and is not whole
    Given at most 4 tokens
    And replies fit the schema:
      """
      type: object
      properties: {name: {type: string}, country: {type: string}}
      required: [name, country]
      """
    When I ask "Describe Paris as JSON."
    Then the finish reason is "length"
    And the reply is not JSON

  @json_schema
  Scenario: What was asked for is no refusal
    Given replies fit the schema:
      """
      type: object
      properties: {name: {type: string, maxLength: 20}}
      required: [name]
      additionalProperties: false
      """
    When I ask "Describe Paris as JSON."
    Then the reply is not a refusal
    And the reply fits its schema

  @json_schema @W103
  Scenario Outline: A schema that is none is refused: <schema>
    Given the parameter "response_format" is {"type": "json_schema", "json_schema": {"name": "reply", "schema": <schema>}}
    When I ask "Describe Paris as JSON."
    Then the request is refused

    Examples:
      | schema                                        |
      | {"type": "wrong"}                             |
      | {"type": "object", "properties": []}          |
      | {"$ref": "#/$defs/missing"}                   |
      | {"type": "string", "pattern": "("}            |

  Scenario: A form of reply that nobody knows is refused
    Given the parameter "response_format" is {"type": "rhyme"}
    When I ask "What is the capital of France?"
    Then the request is refused

  @json_object @json_schema
  Scenario: The refusal of a form of reply names those there are
    Given the parameter "response_format" is {"type": "rhyme"}
    When I ask "What is the capital of France?"
    Then the error message mentions "json_object"
    And the error message mentions "json_schema"
