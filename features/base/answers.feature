@chat
Feature: Plain answers
  One question, one answer: the form that every other promise rests on.

  @W028
  Scenario: A question gets an answer, <delivery>
    Given replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the reply has at most 20 words
    And the finish reason is "stop"

  Scenario: A reply says what it is
    When I ask "What is the capital of France?"
    Then the status is 200
    And the header "content-type" mentions "application/json"
    And the response is not a stream
    And the response's "object" is "chat.completion"
    And the response's "model" is not ""
    And the response's "created" is an integer
    And the response's "choices[0].message.role" is "assistant"
    And the response fits the schema:
      """
      type: object
      required: [id, object, created, model, choices, usage]
      properties:
        id: {type: string, minLength: 1}
        choices:
          type: array
          minItems: 1
          items:
            type: object
            required: [index, message, finish_reason]
            properties:
              index: {type: integer, minimum: 0}
              message:
                type: object
                required: [role, content]
                properties: {role: {const: assistant}, content: {type: string, minLength: 1}}
              finish_reason: {enum: [stop, length, tool_calls, content_filter]}
      """

  Scenario: Every reply has an id of its own
    When I ask "What is the capital of France?"
    And I save the response's "id" as "first"
    And I repeat the request
    Then the reply mentions "Paris"
    And the response's "id" is not "{{first}}"

  Scenario: A list keeps its lines
    When I ask "Name three colors."
    Then the reply mentions all of:
      | Red   |
      | Blue  |
      | Green |
    And the reply matches "Red\s*\n.*Blue\s*\n.*Green"

  Scenario: A question of several lines is one question
    When I ask:
      """
      What is
      the capital of
      France?
      """
    Then the reply mentions "Paris"

  Scenario: A quoted word in a question changes nothing
    When I ask "What is the capital of \"France\"?"
    Then the reply mentions "Paris"

  Scenario: A question in parts is one question
    When I send a chat request:
      """
      {"model": "{{model}}", "temperature": 0, "max_tokens": 16, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is the capital"}, {"type": "text", "text": " of France?"}]}]}
      """
    Then the request succeeds
    And the reply mentions "Paris"

  Scenario: What the model was told to repeat comes back
    When I ask "Repeat this sentence: The sun is hot."
    Then the reply is "The sun is hot."

  Scenario: A reply may be short or long as the question wants
    Given at most 48 tokens
    When I ask "Write a story about a fox."
    Then the reply mentions "fox"
    And the reply has at least 20 words
