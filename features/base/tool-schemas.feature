@chat @tools
Feature: Tool schemas
  Real tools have nested arrays, references, choices and constants. A server takes them as they are, and calls fit them.

  Background:
    Given the model "tools"
    And at most 256 tokens

  @W101 @W102
  Scenario Outline: <tool> is called with arguments that fit: <question>
    Given the tools <tool>
    And the tool choice is required
    When I ask "<question>"
    Then the request succeeds
    And the reply calls <tool> with arguments that fit its schema

    Examples:
      | tool          | question                                        |
      | list_files    | What is the list of the files of a folder (tmp)? |
      | read_file     | What is the text file (a.txt)?                  |
      | get_forecast  | What is the forecast for Paris?                 |
      | get_status    | Is the service up?                              |
      | roll_dice     | What is the roll of two dice?                                 |
      | create_event  | What is the event in the calendar (Lunch, 2026-03-01T12:00:00Z)? |
      | save_outline  | What is the outline of a document (Plan)?         |
      | draw_shape    | Draw a circle with radius 2.                    |
      | book_room     | Book a klein room in Rome.                      |
      | book_flight   | Book a flight from CDG to OSL on 2026-03-01.    |
      | send_message  | What is the message to a person (Hello)?                  |
      | set_labels    | What are the labels of a server (example.com)?       |
      | query_table   | Search the table orders.                        |
      | pay_invoice   | What is the invoice (card)?    |

  Scenario: A toolgroup is offered as a whole
    Given the toolgroup travel
    When I ask "What time is it in Paris?"
    Then the request succeeds
    And the reply calls get_time with {"city": "Paris"}

  Scenario: Many tools at once are no obstacle
    Given the tools add, get_time, get_weather, list_files, read_file and get_forecast
    When I ask "What is the weather in Paris?"
    Then the request succeeds
    And every tool call fits its schema

  Scenario: A tool may leave a property free
    Given the tools save_note
    When I ask "Hello!"
    Then the request succeeds
    And the reply is not empty

  Scenario: A tool whose schema is none is refused
    Given the parameter "tools" is [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "wrong"}}}]
    And the tool choice is required
    When I ask "What is the weather in Paris?"
    Then the request is refused
